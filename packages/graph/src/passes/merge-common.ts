import { digestBytes, serializeCanonicalJson } from "@ckpt/manifest";

import { rewriteGraph } from "../ir/graph-editor.js";
import type { Constant, Graph, Node } from "../ir/graph.js";

// A weight stays a node of its own even where its values are those of another.
function describeConstant({ dtype, shape, values, weight }: Constant): unknown {
  if (weight !== undefined) return { weight };
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype, shape, digest: digestBytes(bytes) };
}

/**
 * Merges nodes that compute the same: equal operation, inputs and attributes, or equal constants. The first one stays.
 * Scans are left as they are.
 */
export function mergeCommon(graph: Graph): Graph {
  const seen = new Map<string, Node>();
  return rewriteGraph(graph, (node, editor) => {
    const key = serializeCanonicalJson({
      op: node.op,
      inputs: node.inputs,
      attributes: node.attributes,
      outputs: node.outputs,
      constant: node.constant === undefined ? null : describeConstant(node.constant),
    });
    const isAlone = node.op === "Placeholder" || node.scan !== undefined;
    const same = isAlone ? undefined : seen.get(key);
    if (same === undefined) {
      seen.set(key, editor.append(node));
      return;
    }
    for (const output of node.outputs.keys()) {
      editor.replace({ node: node.name, output }, { node: same.name, output });
    }
  });
}
