import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import type { Graph, Node, ValueRef } from "../ir/graph.js";
import { appendConstant } from "./append-constant.js";

/** The bounds of a node that clips to constant bounds, such as `[0, Infinity]` for a `Relu`. */
interface Clip {
  readonly source: ValueRef;
  readonly low: number;
  readonly high: number;
}

function readClip(node: Node | undefined, editor: GraphEditor): Clip | undefined {
  const [source, low, high] = node?.inputs ?? [];
  if (node === undefined || source === undefined || node.outputs[0]?.dtype !== "float32") return undefined;
  if (node.op === "Relu") return { source, low: 0, high: Infinity };
  if (node.op === "Relu6") return { source, low: 0, high: 6 };
  if (node.op !== "ClipByValue") return undefined;
  const [lowest, highest] = [editor.findConstant(low)?.values[0], editor.findConstant(high)?.values[0]];
  return lowest === undefined || highest === undefined || lowest > highest
    ? undefined
    : { source, low: lowest, high: highest };
}

// Clipping to one range and then to another is clipping to their intersection, if they have one.
function intersect(inner: Clip | undefined, outer: Clip): Clip {
  if (inner === undefined) return outer;
  const [low, high] = [Math.max(inner.low, outer.low), Math.min(inner.high, outer.high)];
  return low <= high ? { source: inner.source, low, high } : outer;
}

/**
 * Merges clips that follow each other, and calls them what they are: a `Relu` with a largest value, as layers write it,
 * becomes one `ClipByValue`, or `Relu6`, which fuses with the operation before it.
 */
export function mergeClips(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
    const own = readClip(node, editor);
    if (own === undefined) {
      editor.append(node);
      return;
    }
    const clip = intersect(readClip(editor.find(own.source.node), editor), own);
    const { source, low, high } = clip;
    const plain = { ...node, inputs: [source] };
    if (low === 0 && high === Infinity) editor.append({ ...plain, op: "Relu" });
    else if (low === 0 && high === 6) editor.append({ ...plain, op: "Relu6" });
    else if (clip === own) editor.append(node);
    else {
      const bounds = Object.entries({ low, high }).map(([name, value]) =>
        appendConstant(editor, `${node.name}/${name}`, node.layer, {
          dtype: "float32",
          shape: [],
          values: Float32Array.of(value),
        }),
      );
      editor.append({ ...plain, op: "ClipByValue", inputs: [source, ...bounds] });
    }
  });
}
