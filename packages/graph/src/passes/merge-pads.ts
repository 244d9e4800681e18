import { attribute } from "../ir/attribute.js";
import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { countUses } from "../ir/graph-index.js";
import type { Graph, Node } from "../ir/graph.js";

/** The paddings `[before, after]` of all axes, if a node pads height and width, and these alone, with zeros. */
function readSpatialZeros(pad: Node | undefined, editor: GraphEditor): readonly number[] | undefined {
  if (pad?.op !== "PadV2") return undefined;
  const paddings = editor.findConstant(pad.inputs[1])?.values;
  const value = editor.findConstant(pad.inputs[2])?.values;
  if (paddings?.length !== 8 || value === undefined || value[0] !== 0) return undefined;
  const isSpatial = [0, 1, 6, 7].every((index) => paddings[index] === 0);
  return isSpatial && paddings.every((size) => size >= 0) ? Array.from(paddings) : undefined;
}

/**
 * Merges a zero padding into the `Conv2D` behind it, if that has no padding of its own and nothing else reads what was
 * padded. Not into a pooling: the largest of negative numbers and a zero is the zero. Nor into a depthwise convolution,
 * which TensorFlow does not pad by explicit numbers.
 */
export function mergePads(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (node, editor) => {
    const [input, ...others] = node.inputs;
    const pad = input === undefined ? undefined : editor.find(input.node);
    const padding = node.attributes["padding"];
    const isOpen = node.op === "Conv2D" && padding?.kind === "string" && padding.value === "VALID";
    const paddings = isOpen && uses.get(pad?.name ?? "") === 1 ? readSpatialZeros(pad, editor) : undefined;
    const source = pad?.inputs[0];
    if (paddings === undefined || source === undefined) {
      editor.append(node);
      return;
    }
    editor.append({
      ...node,
      inputs: [source, ...others],
      attributes: {
        ...node.attributes,
        padding: attribute.string("EXPLICIT"),
        explicit_paddings: attribute.ints(paddings),
      },
    });
  });
}
