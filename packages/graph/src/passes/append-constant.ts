import type { GraphEditor } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Constant, ValueRef } from "../ir/graph.js";

/** Appends a `Const` under `name`, or a name made from it. */
export function appendConstant(editor: GraphEditor, name: string, layer: string, constant: Constant): ValueRef {
  const { dtype, shape } = constant;
  return outputOf(
    editor.appendNew({ name, op: "Const", inputs: [], attributes: {}, outputs: [{ dtype, shape }], layer, constant }),
  );
}
