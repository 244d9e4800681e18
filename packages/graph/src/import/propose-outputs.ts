import type { NodeDef } from "../proto/gen/tensorflow/graph_pb.js";
import { parseNodeInput } from "./node-input.js";
import { isPlaceholder } from "./pin-placeholders.js";

/** A node that may be what a model predicts. */
export interface OutputCandidate {
  readonly name: string;
  readonly op: string;
}

/** Parts of names that training, saving and watching leave in a graph. */
const besides =
  /(^|\/)(gradients?|save(_\d+)?|init(_\d+)?|Adam|Adagrad|Adadelta|RMSProp|Momentum|GradientDescent|report_uninitialized_variables|summaries)(_\d+)?(\/|$)/;
/** Placeholders that are fed in training only. */
const trainingOnly = /label|target|(^|\/)y_?(true)?(_\d+)?$|keep_prob|is_training|phase|learning_rate|(^|\/)lr$/i;
/** Names that people give to what a model predicts. */
const telling = /prob|predict|output|logits?|softmax|scores?|embedding|classes/i;
/** Operations that end a prediction. */
const ending: ReadonlySet<string> = new Set(["Softmax", "Sigmoid", "ArgMax", "TopKV2", "Identity", "BiasAdd", "Tanh"]);
/** Operations whose results nobody predicts with. */
const effects =
  /^(Assign|Save|Restore|Apply|ResourceApply|Summary|.*Summary(V2)?|NoOp|Assert|Print|Const|Placeholder.*)/;

/**
 * The nodes that a graph may be frozen for, the likeliest first: those that depend on an input but not on labels, and that
 * nothing else of that kind reads. A guess, to be shown and not to be acted upon.
 */
export function proposeOutputs(nodes: ReadonlyMap<string, NodeDef>): readonly OutputCandidate[] {
  const depth = new Map<string, number>();
  const isTainted = new Set<string>();
  const isRead = new Set<string>();
  // A graph lists its nodes in the order they were made, inputs first; what a loop brings back is no matter here.
  for (const node of nodes.values()) {
    if (isPlaceholder(node)) {
      if (trainingOnly.test(node.name)) isTainted.add(node.name);
      else depth.set(node.name, 0);
      continue;
    }
    const inputs = node.input.map((text) => parseNodeInput(text)).filter(({ isControl }) => !isControl);
    // What decides a branch, or whether units drop out, is no label.
    const data = node.op === "Switch" ? inputs.slice(0, 1) : inputs;
    if (data.some((input) => isTainted.has(input.node)) && !isSwitchable(node)) isTainted.add(node.name);
    const depths = data.flatMap((input) => depth.get(input.node) ?? []);
    if (depths.length === 0 || besides.test(node.name) || effects.test(node.op)) continue;
    depth.set(node.name, Math.max(...depths) + 1);
    if (!isTainted.has(node.name)) for (const input of data) isRead.add(input.node);
  }
  const score = ({ name, op }: NodeDef): number =>
    (telling.test(name) ? 4 : 0) + (ending.has(op) ? 2 : 0) - (isRead.has(name) ? 3 : 0) - (name.includes("/") ? 1 : 0);
  return [...nodes.values()]
    .filter((node) => (depth.get(node.name) ?? 0) > 0 && !isTainted.has(node.name))
    .filter((node) => !isRead.has(node.name) || telling.test(node.name))
    .toSorted((a, b) => score(b) - score(a) || (depth.get(b.name) ?? 0) - (depth.get(a.name) ?? 0))
    .map(({ name, op }) => ({ name, op }));
}

/** Dropout and its like take `keep_prob` in: they stay what they are without it. */
function isSwitchable({ name }: NodeDef): boolean {
  return /dropout/i.test(name);
}
