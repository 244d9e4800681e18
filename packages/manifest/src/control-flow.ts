/**
 * Operations of a GraphModel that take time of their own in TensorFlow.js: loops, branches, and results whose size depends
 * on values. Reference: model_analysis of @tensorflow/tfjs-converter 4.22.
 */
const asyncOps: ReadonlySet<string> = new Set([
  "Enter",
  "Exit",
  "If",
  "Merge",
  "NextIteration",
  "NonMaxSuppressionV2",
  "NonMaxSuppressionV3",
  "NonMaxSuppressionV5",
  "StatelessIf",
  "StatelessWhile",
  "Switch",
  "Where",
  "While",
]);

/**
 * Whether TensorFlow.js runs a GraphModel by `executeAsync` alone.
 *
 * @param modelTopology - As in its `model.json`.
 */
export function hasControlFlow(modelTopology: unknown): boolean {
  const nodes = (modelTopology as { readonly node?: readonly { readonly op?: string }[] } | null | undefined)?.node;
  return nodes?.some(({ op }) => asyncOps.has(op ?? "")) ?? false;
}
