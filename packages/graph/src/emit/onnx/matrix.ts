import type { Node } from "../../ir/graph.js";
import { boolAttribute, inputAt, type OnnxEmitters, stringAttribute } from "./onnx-emitter.js";
import type { OnnxWriter } from "./onnx-writer.js";

/** An input with its last two axes swapped if the attribute says so. */
function matrixInput(writer: OnnxWriter, node: Node, index: number, attribute: string): string {
  const value = inputAt(node, index);
  if (!boolAttribute(node, attribute)) {
    return writer.input(value);
  }
  const axes = Array.from({ length: writer.rank(value) }, (_, axis) => axis);
  return writer.transposed(value, [...axes.slice(0, -2), ...axes.slice(-2).toReversed()]);
}

/** Emitters of products of matrices. */
export const matrixEmitters: OnnxEmitters = {
  MatMul: (writer, node) => {
    const inputs = [matrixInput(writer, node, 0, "transpose_a"), matrixInput(writer, node, 1, "transpose_b")];
    writer.define(node, 0, writer.write("MatMul", inputs));
  },
  BatchMatMulV2: (writer, node) => {
    const inputs = [matrixInput(writer, node, 0, "adj_x"), matrixInput(writer, node, 1, "adj_y")];
    writer.define(node, 0, writer.write("MatMul", inputs));
  },
  Einsum: (writer, node) => {
    const inputs = node.inputs.map((input) => writer.input(input));
    writer.define(
      node,
      0,
      writer.write("Einsum", inputs, { equation: { string: stringAttribute(node, "equation", "") } }),
    );
  },
};
