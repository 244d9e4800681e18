import { rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Graph } from "../ir/graph.js";
import { appendConstant } from "./append-constant.js";
import { isIdentity, permute, readPermutation } from "./permutation.js";

/** Makes one `Transpose` of two that follow each other, or none where they lead back, and removes those that do nothing. */
export function mergeTransposes(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
    const outer = readPermutation(node, editor);
    const [input] = node.inputs;
    if (outer === undefined || input === undefined) {
      editor.append(node);
      return;
    }
    const before = editor.find(input.node);
    const inner = readPermutation(before, editor);
    const source = inner === undefined ? input : (before?.inputs[0] ?? input);
    const permutation = inner === undefined ? outer : permute(inner, outer);
    if (isIdentity(permutation)) editor.replace(outputOf(node), source);
    else if (inner === undefined) editor.append(node);
    else {
      const values = Int32Array.from(permutation);
      const constant = { dtype: "int32", shape: [values.length], values } as const;
      const merged = appendConstant(editor, `${node.name}/permutation`, node.layer, constant);
      editor.append({ ...node, inputs: [source, merged] });
    }
  });
}
