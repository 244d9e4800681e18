import { rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Graph, Node, SymbolicShape } from "../ir/graph.js";

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

/** Removes `Identity` (dropout at inference is one), casts to the same dtype, and all but the last of a chain of `Reshape`. */
export function removeIdentities(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
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
