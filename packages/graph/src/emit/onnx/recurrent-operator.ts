import type { Constant, Graph, Node, RecurrentCell, ScanStep, ValueRef } from "../../ir/graph.js";
import type { OnnxAttribute } from "./onnx-attribute.js";
import { inputAt } from "./onnx-emitter.js";
import type { OnnxWriter } from "./onnx-writer.js";
import { reshapeConstant, transposeConstant } from "./transpose-constant.js";

/** An activation of ONNX's recurrent operators, with the parameters it has. */
interface OnnxActivation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

/** What the activations of TensorFlow.js' layers are in ONNX; the others have no counterpart. */
const activations: Readonly<Record<string, OnnxActivation>> = {
  elu: { name: "Elu", alpha: 1 },
  hardSigmoid: { name: "HardSigmoid", alpha: 0.2, beta: 0.5 },
  linear: { name: "Affine", alpha: 1, beta: 0 },
  relu: { name: "Relu" },
  sigmoid: { name: "Sigmoid" },
  softplus: { name: "Softplus" },
  softsign: { name: "Softsign" },
  tanh: { name: "Tanh" },
};

/** A recurrence that ONNX has an operator for. */
export interface RecurrentOperator {
  readonly op: "LSTM" | "GRU" | "RNN";
  readonly cell: RecurrentCell;
  /** Of the gates, then of what goes into the state, then of what is put out, as far as the cell has them. */
  readonly activations: readonly OnnxActivation[];
  /** Where each gate of ONNX stands in the cell's weights. */
  readonly gates: readonly number[];
}

/** ONNX's operator for a step, if it has one. */
export function findRecurrentOperator({ cell }: ScanStep): RecurrentOperator | undefined {
  if (cell === undefined) {
    return undefined;
  }
  const activation = activations[cell.activation];
  const gate = activations[cell.recurrentActivation ?? ""];
  if (activation === undefined) {
    return undefined;
  }
  if (cell.kind === "simple") {
    return { op: "RNN", cell, activations: [activation], gates: [0] };
  }
  if (gate === undefined) {
    return undefined;
  }
  return cell.kind === "gru"
    ? { op: "GRU", cell, activations: [gate, activation], gates: [0, 1, 2] }
    : { op: "LSTM", cell, activations: [gate, activation, activation], gates: [0, 3, 1, 2] };
}

/** Takes from every recurrence that ONNX has an operator for what its body, which is not written, reads from outside. */
export function dropCaptures(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) => {
    const { scan } = node;
    if (scan === undefined || findRecurrentOperator(scan) === undefined) {
      return node;
    }
    return { ...node, inputs: node.inputs.slice(0, scan.sequenceCount + scan.stateCount) };
  });
  return { ...graph, nodes };
}

/** `[rows, gates * units]` as ONNX has it: `[1, gates * units, rows]`, the gates in its order. */
function toOnnxWeight({ gates }: RecurrentOperator, weight: Constant): Constant {
  const [rows = 1, columns = 1] = weight.shape;
  const transposed = transposeConstant(weight, [1, 0]);
  const block = transposed.values.length / gates.length;
  const values = new Float32Array(transposed.values.length);
  for (const [target, source] of gates.entries()) {
    values.set(transposed.values.subarray(source * block, (source + 1) * block), target * block);
  }
  return { dtype: "float32", shape: [1, columns, rows], values };
}

/** ONNX has a bias for the input and one for the state; the second is 0. */
function toOnnxBias(operator: RecurrentOperator, bias: Constant): Constant {
  const [size = 1] = bias.shape;
  const ordered = toOnnxWeight(operator, reshapeConstant(bias, [1, size]));
  const values = new Float32Array(2 * size);
  values.set(ordered.values);
  return { dtype: "float32", shape: [1, 2 * size], values };
}

function toAttributes({ cell, activations: used }: RecurrentOperator): Record<string, OnnxAttribute> {
  return {
    activations: { strings: used.map(({ name }) => name) },
    activation_alpha: { floats: used.flatMap(({ alpha }) => alpha ?? []) },
    activation_beta: { floats: used.flatMap(({ beta }) => beta ?? []) },
    hidden_size: { int: cell.recurrentKernel.shape[0] ?? 1 },
    ...(cell.kind === "gru" ? { linear_before_reset: { int: 0 } } : {}),
  };
}

/**
 * Writes a recurrence as ONNX's operator, which takes `[time, batch, input]` and gives `[time, direction, batch, units]`.
 * Reference: ONNX operators LSTM, GRU and RNN, version 14.
 */
export function writeRecurrentOperator(writer: OnnxWriter, node: Node, operator: RecurrentOperator): void {
  const { op, cell } = operator;
  const direction = writer.int64([0]);
  const sequence = writer.write("Transpose", [writer.input(inputAt(node, 0))], { perm: { ints: [1, 0, 2] } });
  const initial = (value: ValueRef): string => writer.write("Unsqueeze", [writer.input(value), direction]);
  const inputs = [
    sequence,
    writer.addConstant(toOnnxWeight(operator, cell.kernel), `${node.name}/kernel`),
    writer.addConstant(toOnnxWeight(operator, cell.recurrentKernel), `${node.name}/recurrent_kernel`),
    cell.bias === undefined ? "" : writer.addConstant(toOnnxBias(operator, cell.bias), `${node.name}/bias`),
    "",
    initial(inputAt(node, 1)),
    ...(cell.kind === "lstm" ? [initial(inputAt(node, 2))] : []),
  ];
  const stateCount = cell.kind === "lstm" ? 2 : 1;
  const [all = "", ...states] = writer.writeMany(op, inputs, toAttributes(operator), 1 + stateCount);
  for (const [output, state] of states.entries()) {
    writer.define(node, output, writer.write("Squeeze", [state, direction]));
  }
  if (node.outputs.length > stateCount) {
    const squeezed = writer.write("Squeeze", [all, writer.int64([1])]);
    writer.define(node, stateCount, writer.write("Transpose", [squeezed], { perm: { ints: [1, 0, 2] } }));
  }
}
