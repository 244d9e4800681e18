import { attribute } from "../ir/attribute.js";
import { addBias } from "./bias.js";
import { type Lowering, type LoweringBuilder, type Lowerings, UnsupportedKernel, type Value } from "./lowering.js";
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
  Greater: "Greater",
  GreaterEqual: "GreaterEqual",
  Less: "Less",
  LessEqual: "LessEqual",
  LogicalAnd: "LogicalAnd",
  LogicalOr: "LogicalOr",
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

// 1 where positive, `alpha` elsewhere, NaN where it is.
const step: Lowering = (call, build) => {
  const x = call.input("x");
  const output = call.output();
  if (x.dtype !== "float32") throw new UnsupportedKernel(`its argument is ${x.dtype}, not float32`);
  const flags = { dtype: "bool", sizes: x.sizes } as const;
  const isPositive = build.add("Greater", [x, build.float(0)], flags);
  const levels = [build.float(1), build.float(readNumber(call, "alpha"))];
  const stepped = build.add("SelectV2", [isPositive, ...levels], output);
  return [build.add("SelectV2", [build.add("IsNan", [x], flags), x, stepped], output)];
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
  Step: step,
  AddN: (call, build) => [build.add("AddN", call.inputs, call.output())],
  // The quotient of floats is an integer in TensorFlow.js, a float in TensorFlow.
  FloorDiv: (call, build) => {
    const [a, output] = [call.input("a"), call.output()];
    const quotient = build.add("FloorDiv", [a, call.input("b")], { dtype: a.dtype, sizes: output.sizes });
    return [a.dtype === output.dtype ? quotient : build.add("Cast", [quotient], output)];
  },
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
