import type { Node, ValueRef } from "../../ir/graph.js";
import { reshapeConstant, transposeConstant } from "../../ir/transpose-constant.js";
import { type Layout, toChannelsFirst } from "./layout.js";
import { floatAttribute, inputAt, type OnnxEmitter, type OnnxEmitters } from "./onnx-emitter.js";
import { toOnnxType } from "./onnx-type.js";
import type { OnnxWriter } from "./onnx-writer.js";

type Write = (writer: OnnxWriter, inputs: readonly string[], node: Node) => string;

/** An operation that works on each element alone, so in whichever layout its inputs are already in. */
function elementwise(write: Write): OnnxEmitter {
  return (writer, node) => {
    const layout = commonLayout(writer, node);
    const rank = node.outputs[0]?.shape.length ?? 0;
    const inputs = node.inputs.map((input) => alignedInput(writer, input, layout, rank));
    writer.define(node, 0, write(writer, inputs, node), layout);
  };
}

/** Channels first if an input is held so and every other one can be brought to it without a run-time reshape. */
function commonLayout(writer: OnnxWriter, node: Node): Layout {
  const rank = node.outputs[0]?.shape.length ?? 0;
  const isHeld = node.inputs.some((input) => writer.rank(input) === rank && writer.layout(input) === "channelsFirst");
  const canFollow = node.inputs.every(
    (input) => writer.constant(input) !== undefined || writer.rank(input) === rank || writer.rank(input) === 0,
  );
  return isHeld && canFollow ? "channelsFirst" : "channelsLast";
}

/** An input whose axes meet those of a result of `rank` in `layout`: broadcasting aligns shapes at the last axis. */
function alignedInput(writer: OnnxWriter, input: ValueRef, layout: Layout, rank: number): string {
  const inputRank = writer.rank(input);
  const constant = writer.constant(input);
  if (layout === "channelsLast" || inputRank === 0) {
    return writer.input(input);
  }
  if (constant === undefined || inputRank === rank) {
    return writer.input(input, layout);
  }
  const padded = [...Array.from({ length: rank - inputRank }, () => 1), ...constant.shape];
  return writer.addConstant(transposeConstant(reshapeConstant(constant, padded), toChannelsFirst(rank)), input.node);
}

const direct = (op: string): OnnxEmitter => elementwise((writer, inputs) => writer.write(op, inputs));

/** Operations that ONNX has under the same name. */
const sameName = [
  "Abs",
  "Acos",
  "Acosh",
  "Asin",
  "Asinh",
  "Atan",
  "Atanh",
  "Ceil",
  "Cos",
  "Cosh",
  "Elu",
  "Erf",
  "Exp",
  "Floor",
  "Identity",
  "Log",
  "Neg",
  "Reciprocal",
  "Relu",
  "Round",
  "Selu",
  "Sigmoid",
  "Sign",
  "Sin",
  "Sinh",
  "Softplus",
  "Sqrt",
  "Tan",
  "Tanh",
  "Sub",
  "Mul",
  "Pow",
  "Equal",
  "Greater",
  "Less",
];

/** Operations that ONNX has under another name. */
const otherName: Readonly<Record<string, string>> = {
  AddV2: "Add",
  AddN: "Sum",
  BiasAdd: "Add",
  RealDiv: "Div",
  Maximum: "Max",
  Minimum: "Min",
  GreaterEqual: "GreaterOrEqual",
  LessEqual: "LessOrEqual",
  LogicalAnd: "And",
  LogicalOr: "Or",
  LogicalNot: "Not",
  IsNan: "IsNaN",
  IsInf: "IsInf",
  SelectV2: "Where",
  Prelu: "PRelu",
};

function isInteger(node: Node, writer: OnnxWriter): boolean {
  return writer.info(inputAt(node, 0)).dtype === "int32";
}

/** Remainder with the sign of the divisor. */
const floorMod: Write = (writer, [a = "", b = ""], node) => {
  if (isInteger(node, writer)) {
    return writer.write("Mod", [a, b]);
  }
  // ONNX has only the remainder with the dividend's sign for floats: one divisor more where the signs differ.
  const remainder = writer.write("Mod", [a, b], { fmod: { int: 1 } });
  const product = writer.write("Mul", [remainder, b]);
  const isOtherSign = writer.write("Less", [product, writer.scalar(0, "float32")]);
  return writer.write("Where", [isOtherSign, writer.write("Add", [remainder, b]), remainder]);
};

/** Quotient rounded down; ONNX rounds quotients of integers toward zero. */
const floorDiv: Write = (writer, [a = "", b = ""], node) => {
  if (!isInteger(node, writer)) {
    return writer.write("Floor", [writer.write("Div", [a, b])]);
  }
  const remainder = writer.write("Mod", [a, b]);
  return writer.write("Div", [writer.write("Sub", [a, remainder]), b]);
};

/** The angle of the point (x, y), from the one-sided arc tangent: half a turn more left of the y axis, 0 at the origin. */
const atan2: Write = (writer, [y = "", x = ""]) => {
  const zero = writer.scalar(0, "float32");
  const angle = writer.write("Atan", [writer.write("Div", [y, x])]);
  const isBelow = writer.write("Less", [y, zero]);
  const turn = writer.write("Where", [isBelow, writer.scalar(-Math.PI, "float32"), writer.scalar(Math.PI, "float32")]);
  const isLeft = writer.write("Less", [x, zero]);
  const turned = writer.write("Where", [isLeft, writer.write("Add", [angle, turn]), angle]);
  const distance = writer.write("Add", [writer.write("Abs", [x]), writer.write("Abs", [y])]);
  return writer.write("Where", [writer.write("Equal", [distance, zero]), zero, turned]);
};

const one = (writer: OnnxWriter): string => writer.scalar(1, "float32");

/** A tensor of one value in the shape of the input; booleans by way of int32, which every runtime expands. */
function filledLike(value: 0 | 1): Write {
  return (writer, [x = ""], node) => {
    const shape = writer.write("Shape", [x]);
    const type = toOnnxType(writer.info(inputAt(node, 0)).dtype, node.name);
    return type === "bool"
      ? writer.cast(writer.write("Expand", [writer.scalar(value, "int32"), shape]), "bool")
      : writer.write("Expand", [writer.scalar(value, type), shape]);
  };
}

const composed: Readonly<Record<string, Write>> = {
  Atan2: atan2,
  Expm1: (writer, inputs) => writer.write("Sub", [writer.write("Exp", inputs), one(writer)]),
  Log1p: (writer, [x = ""]) => writer.write("Log", [writer.write("Add", [x, one(writer)])]),
  Rsqrt: (writer, inputs) => writer.write("Reciprocal", [writer.write("Sqrt", inputs)]),
  Square: (writer, [x = ""]) => writer.write("Mul", [x, x]),
  SquaredDifference: (writer, inputs) => {
    const difference = writer.write("Sub", inputs);
    return writer.write("Mul", [difference, difference]);
  },
  Relu6: (writer, [x = ""]) => writer.write("Clip", [x, writer.scalar(0, "float32"), writer.scalar(6, "float32")]),
  LeakyRelu: (writer, inputs, node) =>
    writer.write("LeakyRelu", inputs, { alpha: { float: floatAttribute(node, "alpha", 0.2) } }),
  ClipByValue: (writer, inputs) => writer.write("Clip", inputs),
  NotEqual: (writer, inputs) => writer.write("Not", [writer.write("Equal", inputs)]),
  IsFinite: (writer, inputs) =>
    writer.write("Not", [writer.write("Or", [writer.write("IsNaN", inputs), writer.write("IsInf", inputs)])]),
  FloorDiv: floorDiv,
  FloorMod: floorMod,
  OnesLike: filledLike(1),
  ZerosLike: filledLike(0),
  Cast: (writer, [x = ""], node) => writer.cast(x, toOnnxType(node.outputs[0]?.dtype ?? "float32", node.name)),
};

/** Emitters of the operations that work element by element. */
export const elementwiseEmitters: OnnxEmitters = Object.fromEntries([
  ...sameName.map((op) => [op, direct(op)]),
  ...Object.entries(otherName).map(([op, onnxOp]) => [op, direct(onnxOp)]),
  ...Object.entries(composed).map(([op, write]) => [op, elementwise(write)]),
]);
