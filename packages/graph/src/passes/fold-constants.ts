import { rewriteGraph } from "../ir/graph-editor.js";
import type { Constant, Graph } from "../ir/graph.js";
import { evaluateNode } from "./evaluate-node.js";

/**
 * Replaces what is computed from constants alone by its value, under the same name. A weight counts as a constant
 * here, so this belongs after the weights are bound.
 */
export function foldConstants(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
    const inputs = node.inputs.map(editor.findConstant);
    const isFixed = inputs.every((input): input is Constant => input !== undefined);
    const constant = isFixed ? evaluateNode(node, inputs) : undefined;
    editor.append(constant === undefined ? node : { ...node, op: "Const", inputs: [], attributes: {}, constant });
  });
}
