import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { countUses, outputOf } from "../ir/graph-index.js";
import type { Graph, Node, ValueRef } from "../ir/graph.js";
import { reshapeConstant, transposeConstant } from "../ir/transpose-constant.js";
import { appendConstant } from "./append-constant.js";
import { broadcastingOps, unaryOps } from "./elementwise-ops.js";
import { invert, permute, readPermutation } from "./permutation.js";

const reductions = new Set(["All", "Any", "Max", "Mean", "Min", "Prod", "Sum"]);

/** Values that are transposed alike and read by one node only. */
interface Transposed {
  readonly permutation: readonly number[];
  /** What is transposed, for each of the values. */
  readonly sources: readonly ValueRef[];
  /** One of the `Transpose` nodes. */
  readonly transpose: Node;
}

function findTransposed(
  values: readonly ValueRef[],
  uses: ReadonlyMap<string, number>,
  editor: GraphEditor,
): Transposed | undefined {
  const nodes = values.map(({ node }) => editor.find(node));
  const permutation = readPermutation(nodes[0], editor);
  const sources = nodes.flatMap((node) =>
    readPermutation(node, editor)?.join() === permutation?.join() ? (node?.inputs[0] ?? []) : [],
  );
  const isOnlyHere = values.every(
    ({ node }) => uses.get(node) === values.filter((other) => other.node === node).length,
  );
  const [transpose] = nodes;
  if (permutation === undefined || transpose === undefined || !isOnlyHere || sources.length < values.length)
    return undefined;
  return { permutation, sources, transpose };
}

/** The node as it is before the transpositions of its inputs, if it can be; its result is to be transposed then. */
function moveBefore(
  node: Node,
  uses: ReadonlyMap<string, number>,
  editor: GraphEditor,
): [Node, Transposed] | undefined {
  const isConstant = (input: ValueRef): boolean => editor.findConstant(input) !== undefined;
  const isElementwise = unaryOps.has(node.op) || broadcastingOps.has(node.op) || node.op === "BiasAdd";
  const last = node.inputs.at(-1);
  const values = node.inputs.filter((input) => !isConstant(input));
  const found = findTransposed(values, uses, editor);
  const shape = node.outputs[0]?.shape;
  if (found === undefined || last === undefined || shape?.length !== found.permutation.length) return undefined;
  const back = invert(found.permutation);
  const outputs = node.outputs.map(({ dtype, shape }) => ({ dtype, shape: permute(shape, back) }));
  if (node.op === "ConcatV2" && values.length === node.inputs.length - 1) {
    const axis = editor.findConstant(last)?.values[0] ?? 0;
    const moved = found.permutation.at(axis) ?? 0;
    const constant = { dtype: "int32", shape: [], values: Int32Array.of(moved) } as const;
    const inputs = [...found.sources, appendConstant(editor, `${node.name}/axis`, node.layer, constant)];
    return [{ ...node, inputs, outputs }, found];
  }
  if (!isElementwise) return undefined;
  const sources = [...found.sources];
  const inputs = node.inputs.map((input) =>
    isConstant(input) ? moveConstant(input, node, back, editor) : (sources.shift() ?? input),
  );
  return [{ ...node, op: node.op === "BiasAdd" ? "AddV2" : node.op, inputs, outputs }, found];
}

/** A constant operand as it broadcasts before the transposition. */
function moveConstant(input: ValueRef, node: Node, back: readonly number[], editor: GraphEditor): ValueRef {
  const constant = editor.findConstant(input);
  if (constant === undefined || constant.values.length === 1) return input;
  const padded = [...back.slice(constant.shape.length).map(() => 1), ...constant.shape];
  const moved = transposeConstant(reshapeConstant(constant, padded), back);
  return appendConstant(editor, `${node.name}/operand`, node.layer, moved);
}

/** A reduction of what was transposed, if the axes that are left come in their own order. */
function reduceBefore(node: Node, editor: GraphEditor): Node | undefined {
  const [input, axesInput] = node.inputs;
  const transpose = input === undefined ? undefined : editor.find(input.node);
  const permutation = readPermutation(transpose, editor);
  const axes = editor.findConstant(axesInput)?.values;
  const source = transpose?.inputs[0];
  const keeps = node.attributes["keep_dims"];
  if (!reductions.has(node.op) || permutation === undefined || axes === undefined || source === undefined)
    return undefined;
  if (keeps?.kind === "bool" && keeps.value) return undefined;
  const reduced = new Set(Array.from(axes, (axis) => permutation.at(axis) ?? 0));
  const left = permutation.filter((axis) => !reduced.has(axis));
  if (left.some((axis, index) => index > 0 && axis < (left[index - 1] ?? 0))) return undefined;
  const values = Int32Array.from(reduced).toSorted();
  const constant = { dtype: "int32", shape: [values.length], values } as const;
  return { ...node, inputs: [source, appendConstant(editor, `${node.name}/axes`, node.layer, constant)] };
}

/**
 * Moves a `Transpose` behind operations on each element, and of several that are alike before one operation keeps one;
 * reductions read what was transposed. So those around a convolution with channels first meet and cancel, and batch
 * normalization comes to stand next to the convolution that it is folded into.
 */
export function sinkTransposes(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (node, editor) => {
    const reduced = reduceBefore(node, editor);
    const moved = reduced === undefined ? moveBefore(node, uses, editor) : undefined;
    if (moved === undefined) {
      editor.append(reduced ?? node);
      return;
    }
    const [before, { transpose }] = moved;
    const sunk = editor.appendNew({
      ...transpose,
      name: `${node.name}/Transpose`,
      inputs: [outputOf(editor.append(before)), ...transpose.inputs.slice(1)],
      outputs: node.outputs,
      layer: node.layer,
    });
    uses.set(sunk.name, uses.get(node.name) ?? 0);
    editor.replace(outputOf(node), outputOf(sunk));
  });
}
