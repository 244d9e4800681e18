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

/** Whether numbers are below zero, or are the zero below it, -0, whose reciprocal is. */
function isNegative(writer: OnnxWriter, x: string): string {
  const zero = writer.scalar(0, "float32");
  const signed = writer.write("Where", [writer.write("Equal", [x, zero]), writer.write("Reciprocal", [x]), x]);
  return writer.write("Less", [signed, zero]);
}

/** The angle of the point (x, y), from the one-sided arc tangent: half a turn more left of the y axis. */
const atan2: Write = (writer, [y = "", x = ""]) => {
  const zero = writer.scalar(0, "float32");
  const distance = writer.write("Add", [writer.write("Abs", [x]), writer.write("Abs", [y])]);
  const slope = writer.write("Div", [y, x]);
  const angle = writer.write("Where", [writer.write("Equal", [distance, zero]), y, writer.write("Atan", [slope])]);
  const turn = writer.write("Where", [
    isNegative(writer, y),
    writer.scalar(-Math.PI, "float32"),
    writer.scalar(Math.PI, "float32"),
  ]);
  return writer.write("Where", [isNegative(writer, x), writer.write("Add", [angle, turn]), angle]);
};

/** The polynomial with these coefficients, that of the constant term first. */
function writePolynomial(writer: OnnxWriter, x: string, coefficients: readonly number[]): string {
  const [highest = "", ...others] = coefficients.map((value) => writer.scalar(value, "float32")).toReversed();
  return others.reduce((sum, term) => writer.write("Add", [writer.write("Mul", [sum, x]), term]), highest);
}

/** Nearer to 0 than this, a result that is 1 away from what its formula computes has lost digits. */
const nearZero = 0.25;

function chooseNearZero(writer: OnnxWriter, x: string, near: string, far: string): string {
  const isNear = writer.write("Less", [writer.write("Abs", [x]), writer.scalar(nearZero, "float32")]);
  return writer.write("Where", [isNear, near, far]);
}

/** `exp(x) - 1`; near 0 as x + x^2/2! + x^3/3! + ... */
const expm1: Write = (writer, [x = ""]) => {
  const series = writePolynomial(writer, x, [1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]);
  const far = writer.write("Sub", [writer.write("Exp", [x]), one(writer)]);
  return chooseNearZero(writer, x, writer.write("Mul", [x, series]), far);
};

/** `log(1 + x)`; near 0 as 2 (s + s^3/3 + s^5/5 + ...) with s = x / (2 + x), which is 2 artanh(s). */
const log1p: Write = (writer, [x = ""]) => {
  const s = writer.write("Div", [x, writer.write("Add", [x, writer.scalar(2, "float32")])]);
  const series = writePolynomial(writer, writer.write("Mul", [s, s]), [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]);
  const far = writer.write("Log", [writer.write("Add", [x, one(writer)])]);
  return chooseNearZero(writer, x, writer.write("Mul", [s, series]), far);
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
  Expm1: expm1,
  Log1p: log1p,
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
