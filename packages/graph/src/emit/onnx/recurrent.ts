import { indexNodes } from "../../ir/graph-index.js";
import type { Node } from "../../ir/graph.js";
import { valueInfo } from "../bind-signature.js";
import type { OnnxAttribute, OnnxNode, OnnxValue } from "./onnx-attribute.js";
import type { OnnxEmitter, OnnxEmitters } from "./onnx-emitter.js";
import { toOnnxType } from "./onnx-type.js";
import { type OnnxWriter, UnsupportedReason } from "./onnx-writer.js";
import { findRecurrentOperator, writeRecurrentOperator } from "./recurrent-operator.js";

type Body = NonNullable<Node["scan"]>["body"];

/** Names for the inputs of a body: new ones for slices and states; captures are seen as they are outside. */
function nameInputs(writer: OnnxWriter, node: Node, ownCount: number): readonly string[] {
  return node.inputs.map((value, index) => (index < ownCount ? writer.claim() : writer.input(value)));
}

function toValue(name: string, body: Body, node: string, output: number): OnnxValue {
  const { dtype, shape } = valueInfo(indexNodes(body.nodes), { node, output });
  return { name, type: toOnnxType(dtype, name), shape: shape.map((size) => size ?? undefined) };
}

/** The axis that each of several sequences is cut along. */
function timeAxes(count: number): OnnxAttribute {
  return { ints: Array.from({ length: count }, () => 1) };
}

/**
 * ONNX's Scan: states come before sequences, among inputs as among the body's, and what is the same in every step is no
 * input at all. Reference: ONNX operator Scan, version 16.
 */
const scan: OnnxEmitter = (writer, node) => {
  const step = node.scan;
  if (step === undefined) {
    throw new UnsupportedReason("a step is missing");
  }
  const operator = findRecurrentOperator(step);
  if (operator !== undefined) {
    writeRecurrentOperator(writer, node, operator);
    return;
  }
  const { sequenceCount, stateCount, body } = step;
  const ownCount = sequenceCount + stateCount;
  const inputNames = nameInputs(writer, node, ownCount);
  const inner = writer.writeBody(body, inputNames);
  const copies: OnnxNode[] = [];
  const outputs = body.outputs.map(({ value }): OnnxValue => {
    // A body's output is a value of its own, and one only.
    const name = writer.claim();
    copies.push({ name, op: "Identity", inputs: [inner.input(value)], outputs: [name], attributes: {} });
    return toValue(name, body, value.node, value.output);
  });
  const values = body.inputs.map((input, index) => toValue(inputNames[index] ?? "", body, input.node, 0));
  const [sequences, states] = [values.slice(0, sequenceCount), values.slice(sequenceCount, ownCount)];
  const inputs = node.inputs.slice(0, ownCount).map((value) => writer.input(value));
  const written = writer.writeMany(
    "Scan",
    [...inputs.slice(sequenceCount), ...inputs.slice(0, sequenceCount)],
    {
      body: {
        graph: {
          name: writer.claim(),
          nodes: [...inner.nodes, ...copies],
          initializers: inner.initializers,
          inputs: [...states, ...sequences],
          outputs,
        },
      },
      num_scan_inputs: { int: sequenceCount },
      scan_input_axes: timeAxes(sequenceCount),
      ...(outputs.length > stateCount ? { scan_output_axes: timeAxes(outputs.length - stateCount) } : {}),
    },
    outputs.length,
  );
  for (const [output, name] of written.entries()) {
    writer.define(node, output, name);
  }
};

/** Emitters of recurrences. */
export const recurrentEmitters: OnnxEmitters = { Scan: scan };
