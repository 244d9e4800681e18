import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Graph, Node, SymbolicShape, ValueRef } from "../ir/graph.js";

/**
 * Whether two shapes of as many elements are the same. One open size follows from the others; of two or more it is
 * not known, and neither is it next to a size of 0.
 */
function isSameShape(a: SymbolicShape, b: SymbolicShape): boolean {
  const open = a.filter((size) => size === null).length;
  return (
    a.length === b.length && a.every((size, axis) => size === b[axis]) && (open === 0 || (open === 1 && !a.includes(0)))
  );
}

// The value that a product with ones of its own shape is: the dropout of recurrent cells at inference.
function findMultiplied(node: Node, editor: GraphEditor): ValueRef | undefined {
  if (node.op !== "Mul") return undefined;
  const [a, b] = node.inputs;
  const isOnesLike = (ones: ValueRef | undefined, value: ValueRef | undefined): boolean => {
    const source = ones === undefined ? undefined : editor.find(ones.node);
    const like = source?.op === "OnesLike" ? source.inputs[0] : undefined;
    return like !== undefined && like.node === value?.node && like.output === value.output;
  };
  if (isOnesLike(b, a)) return a;
  return isOnesLike(a, b) ? b : undefined;
}

/**
 * Removes `Identity` and products with ones (dropout at inference is either), casts to the same dtype, and all but the last
 * of a chain of `Reshape`.
 */
export function removeIdentities(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
    const multiplied = findMultiplied(node, editor);
    if (multiplied !== undefined) {
      editor.replace(outputOf(node), multiplied);
      return;
    }
    const [input, shape] = node.inputs;
    const source = input === undefined ? undefined : editor.find(input.node);
    const from = input === undefined ? undefined : source?.outputs[input.output];
    const to = node.outputs[0];
    if (input === undefined || source === undefined || from === undefined || to === undefined) {
      editor.append(node);
      return;
    }
    let kept: Node = node;
    let start = input;
    let startInfo = from;
    if (node.op === "Reshape" && source.op === "Reshape" && shape !== undefined) {
      const [first] = source.inputs;
      const info = first === undefined ? undefined : editor.find(first.node)?.outputs[first.output];
      if (first !== undefined && info !== undefined) {
        [start, startInfo] = [first, info];
        kept = { ...node, inputs: [first, shape] };
      }
    }
    const isIdentity =
      node.op === "Identity" ||
      (node.op === "Cast" && from.dtype === to.dtype) ||
      (node.op === "Reshape" && isSameShape(startInfo.shape, to.shape));
    if (isIdentity) editor.replace(outputOf(node), start);
    else editor.append(kept);
  });
}
