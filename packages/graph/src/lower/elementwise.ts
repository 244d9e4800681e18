import { attribute } from "../ir/attribute.js";
import { addBias } from "./bias.js";
import type { Lowering, LoweringBuilder, Lowerings, Value } from "./lowering.js";
import { readNumber } from "./read-attribute.js";

// Kernels that go by the same name in TensorFlow.
const unary = [
  "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Expm1 Floor IsFinite IsInf IsNan Log",
  "Log1p LogicalNot Neg OnesLike Reciprocal Relu Relu6 Round Rsqrt Selu Sigmoid Sign Sin Sinh Softplus Sqrt",
  "Square Tan Tanh ZerosLike",
].flatMap((line) => line.split(" "));

const binary: Readonly<Record<string, string>> = {
  Atan2: "Atan2",
  Equal: "Equal",
  FloorDiv: "FloorDiv",
  Greater: "Greater",
  GreaterEqual: "GreaterEqual",
  Less: "Less",
  LessEqual: "LessEqual",
  LogicalAnd: "LogicalAnd",
  LogicalOr: "LogicalOr",
  // GraphModel has no LogicalXor; on booleans it is the same.
  LogicalXor: "NotEqual",
  Maximum: "Maximum",
  Minimum: "Minimum",
  Mod: "FloorMod",
  Multiply: "Mul",
  NotEqual: "NotEqual",
  Pow: "Pow",
  RealDiv: "RealDiv",
  SquaredDifference: "SquaredDifference",
  Sub: "Sub",
};

function scalar(build: LoweringBuilder, like: Value, value: number): Value {
  return like.dtype === "float32" ? build.float(value) : build.int(value);
}

const addTensors: Lowering = (call, build) => {
  const [a, b] = [call.input("a"), call.input("b")];
  const isBias = a.dtype === "float32" && a.dependsOnInput && !b.dependsOnInput;
  const isWide = b.sizes.length > a.sizes.length;
  return [isBias && !isWide ? addBias(build, a, b) : build.add("AddV2", [a, b], call.output())];
};

/** Kernels that work on each element by itself. */
export const elementwiseLowerings: Lowerings = {
  ...Object.fromEntries(
    unary.map((kernel): [string, Lowering] => [
      kernel,
      (call, build) => [build.add(kernel, [call.input("x")], call.output())],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(binary).map(([kernel, op]): [string, Lowering] => [
      kernel,
      (call, build) => [build.add(op, [call.input("a"), call.input("b")], call.output())],
    ]),
  ),
  Add: addTensors,
  AddN: (call, build) => [build.add("AddN", call.inputs, call.output())],
  Cast: (call, build) => [build.add("Cast", [call.input("x")], call.output())],
  Identity: (call) => [call.input("x")],
  ClipByValue: (call, build) => {
    const x = call.input("x");
    const [low, high] = [readNumber(call, "clipValueMin"), readNumber(call, "clipValueMax")];
    return [build.add("ClipByValue", [x, scalar(build, x, low), scalar(build, x, high)], call.output())];
  },
  LeakyRelu: (call, build) => [
    build.add("LeakyRelu", [call.input("x")], call.output(), { alpha: attribute.float(readNumber(call, "alpha")) }),
  ],
  Prelu: (call, build) => [build.add("Prelu", [call.input("x"), call.input("alpha")], call.output())],
  Select: (call, build) => [
    build.add("SelectV2", [call.input("condition"), call.input("t"), call.input("e")], call.output()),
  ],
};
