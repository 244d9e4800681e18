import * as tf from "@tensorflow/tfjs";

import { attribute } from "../src/ir/attribute.js";
import { wave } from "./build-graph.js";
import { describeOps, type OpCase } from "./op-case.js";

const { bool, float, string } = attribute;

const int1d = (...values: number[]): tf.Tensor => tf.tensor1d(values, "int32");
const intScalar = (value: number): tf.Tensor => tf.scalar(value, "int32");
const x34 = (): tf.Tensor => wave([3, 4], 2);
const positive34 = (): tf.Tensor => wave([3, 4], 1, 1.5);
const int34 = (): tf.Tensor => tf.tensor2d([7, -7, 5, -5, 0, 3, -3, 9, 8, 1, -1, -8], [3, 4], "int32");
const bool34 = (seed: number): tf.Tensor =>
  tf.tensor(
    Array.from({ length: 12 }, (_, index) => Math.sin(seed + index * index) > 0),
    [3, 4],
    "bool",
  );

function unary(op: string, expected: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor = x34()): OpCase {
  return { op, fed: [x], expected: (fed) => expected(fed) };
}

function binary(op: string, expected: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, a = x34(), b = positive34()): OpCase {
  return { op, note: a.dtype, fed: [a, b], expected: (fedA, fedB) => expected(fedA, fedB) };
}

const inside = wave([3, 4], 0.9);
const unaries: readonly OpCase[] = [
  unary("Abs", tf.abs),
  unary("Acos", tf.acos, inside),
  unary("Acosh", tf.acosh, wave([3, 4], 1, 2.5)),
  unary("Asin", tf.asin, inside),
  unary("Asinh", tf.asinh),
  unary("Atan", tf.atan),
  unary("Atanh", tf.atanh, inside),
  unary("Ceil", tf.ceil),
  unary("Cos", tf.cos),
  unary("Cosh", tf.cosh),
  unary("Elu", tf.elu),
  unary("Erf", tf.erf),
  unary("Exp", tf.exp),
  unary("Expm1", tf.expm1),
  unary("Floor", tf.floor),
  unary("Identity", (x) => x.clone()),
  unary("IsFinite", tf.isFinite, tf.tensor2d([[1, Infinity, NaN, -Infinity]])),
  unary("IsInf", tf.isInf, tf.tensor2d([[1, Infinity, NaN, -Infinity]])),
  unary("IsNan", tf.isNaN, tf.tensor2d([[1, Infinity, NaN, -Infinity]])),
  unary("Log", tf.log, positive34()),
  unary("Log1p", tf.log1p, positive34()),
  unary("LogSoftmax", (x) => tf.logSoftmax(x)),
  unary("LogicalNot", tf.logicalNot, bool34(1)),
  unary("Neg", tf.neg),
  unary("OnesLike", tf.onesLike),
  unary("Reciprocal", tf.reciprocal, positive34()),
  unary("Relu", tf.relu),
  unary("Relu6", tf.relu6, wave([3, 4], 9)),
  unary("Round", tf.round, tf.tensor2d([[0.5, 1.5, -0.5, 2.4999]])),
  unary("Rsqrt", tf.rsqrt, positive34()),
  unary("Selu", tf.selu),
  unary("Sigmoid", tf.sigmoid),
  unary("Sign", tf.sign),
  unary("Sin", tf.sin),
  unary("Sinh", tf.sinh),
  unary("Softmax", (x) => tf.softmax(x)),
  unary("Softplus", tf.softplus),
  unary("Sqrt", tf.sqrt, positive34()),
  unary("Square", tf.square),
  unary("Tan", tf.tan),
  unary("Tanh", tf.tanh),
  unary("ZerosLike", tf.zerosLike, bool34(2)),
  { ...unary("LeakyRelu", (x) => tf.leakyRelu(x, 0.3)), attributes: { alpha: float(0.3) } },
  {
    op: "ClipByValue",
    fed: [x34()],
    constants: { 1: tf.scalar(-1), 2: tf.scalar(0.5) },
    expected: (x) => tf.clipByValue(x, -1, 0.5),
  },
  {
    op: "Prelu",
    fed: [x34()],
    constants: { 1: wave([4], 0.4) },
    expected: (x) => tf.prelu(x, wave([4], 0.4)),
  },
  unary("Cast", (x) => tf.cast(x, "int32")),
  { ...unary("Cast", (x) => tf.cast(x, "bool"), int34()), note: "to bool" },
  { ...unary("Cast", (x) => tf.cast(x, "float32"), bool34(3)), note: "from bool" },
];

const divisor = tf.tensor2d([2, 2, -3, -3, 4, -2, -2, 4, 3, 5, 5, 3], [3, 4], "int32");
const binaries: readonly OpCase[] = [
  binary("AddV2", tf.add),
  binary("BiasAdd", tf.add, x34(), wave([4])),
  binary("Sub", tf.sub),
  binary("Mul", tf.mul),
  binary("Mul", tf.mul, int34(), divisor),
  binary("RealDiv", tf.div),
  binary("Maximum", tf.maximum),
  binary("Minimum", tf.minimum),
  binary("Pow", tf.pow, positive34(), x34()),
  binary("SquaredDifference", tf.squaredDifference),
  binary("FloorDiv", tf.floorDiv, int34(), divisor),
  {
    ...binary("FloorDiv", (a, b) => tf.floor(tf.div(a, b)), wave([3, 4], 7), wave([3, 4], 1, 2)),
    // tfjs gives int32 whatever the inputs.
    formats: ["onnx"],
  },
  binary("FloorMod", tf.mod, int34(), divisor),
  binary("FloorMod", tf.mod, wave([3, 4], 7), tf.cast(divisor, "float32")),
  binary("Equal", tf.equal, int34(), divisor),
  binary("Equal", tf.equal, bool34(1), bool34(5)),
  binary("NotEqual", tf.notEqual, int34(), divisor),
  binary("Greater", tf.greater),
  binary("GreaterEqual", tf.greaterEqual, int34(), divisor),
  binary("Less", tf.less),
  binary("LessEqual", tf.lessEqual, int34(), divisor),
  binary("LogicalAnd", tf.logicalAnd, bool34(1), bool34(5)),
  binary("LogicalOr", tf.logicalOr, bool34(1), bool34(5)),
  binary("Atan2", tf.atan2, tf.tensor2d([[1, -1, 1, -1, 0, 0, 2, -2]]), tf.tensor2d([[1, 1, -1, -1, 0, -3, 0, 0]])),
  {
    op: "SelectV2",
    fed: [bool34(4), x34(), positive34()],
    expected: (condition, a, b) => tf.where(condition, a, b),
  },
  { op: "AddN", fed: [x34(), x34(), positive34()], expected: (...tensors) => tf.addN(tensors) },
];

const matrices: readonly OpCase[] = [
  { op: "MatMul", fed: [x34()], constants: { 1: wave([4, 5]) }, expected: (a) => tf.matMul(a, wave([4, 5])) },
  {
    op: "MatMul",
    note: "transpose_b",
    fed: [x34()],
    constants: { 1: wave([5, 4]) },
    attributes: { transpose_b: bool(true) },
    expected: (a) => tf.matMul(a, wave([5, 4]), false, true),
  },
  {
    op: "MatMul",
    note: "transpose_a at run time",
    fed: [wave([4, 3]), wave([4, 5])],
    attributes: { transpose_a: bool(true) },
    expected: (a, b) => tf.matMul(a, b, true),
    isStatic: true,
  },
  {
    op: "BatchMatMulV2",
    fed: [wave([2, 3, 4]), wave([2, 5, 4])],
    attributes: { adj_y: bool(true) },
    expected: (a, b) => tf.matMul(a, b, false, true),
  },
  {
    op: "BatchMatMulV2",
    note: "adj_x, broadcast",
    fed: [wave([2, 4, 3])],
    constants: { 1: wave([1, 4, 5]) },
    attributes: { adj_x: bool(true) },
    expected: (a) => tf.matMul(a, wave([1, 4, 5]), true),
  },
  {
    op: "Einsum",
    fed: [wave([2, 3, 4]), wave([2, 4, 5])],
    attributes: { equation: string("bij,bjk->bik") },
    expected: (a, b) => tf.einsum("bij,bjk->bik", a, b),
  },
];

const x345 = (): tf.Tensor => wave([3, 4, 5]);
function reduction(
  op: string,
  expected: (x: tf.Tensor, axes: number[], isKept: boolean) => tf.Tensor,
  x = x345(),
): OpCase[] {
  return [
    { axes: [1], isKept: false },
    { axes: [-1, 1], isKept: true },
    { axes: [0, 1, 2], isKept: false },
  ].map(({ axes, isKept }) => ({
    op,
    note: `axes ${axes.join()}${isKept ? " kept" : ""}`,
    fed: [x],
    constants: { 1: int1d(...axes) },
    attributes: { keep_dims: bool(isKept) },
    expected: (fed) => expected(fed, axes, isKept),
    isStatic: axes.length === 3,
  }));
}

const bool345 = tf.greater(x345(), -0.95);
const reductions: readonly OpCase[] = [
  ...reduction("Sum", (x, axes, isKept) => tf.sum(x, axes, isKept)),
  ...reduction("Mean", (x, axes, isKept) => tf.mean(x, axes, isKept)),
  ...reduction("Max", (x, axes, isKept) => tf.max(x, axes, isKept)),
  ...reduction("Min", (x, axes, isKept) => tf.min(x, axes, isKept)),
  ...reduction("Prod", (x, axes, isKept) => tf.prod(x, axes, isKept)),
  ...reduction("All", (x, axes, isKept) => tf.all(x, axes, isKept), bool345),
  ...reduction("Any", (x, axes, isKept) => tf.any(x, axes, isKept), tf.logicalNot(bool345)),
  {
    op: "ArgMax",
    fed: [
      tf.tensor2d([
        [1, 3, 3],
        [2, 1, 0],
      ]),
    ],
    constants: { 1: intScalar(-1) },
    expected: (x) => tf.argMax(x, -1),
  },
  { op: "ArgMin", fed: [x345()], constants: { 1: intScalar(1) }, expected: (x) => tf.argMin(x, 1) },
  {
    op: "Cumsum",
    fed: [x345()],
    constants: { 1: intScalar(1) },
    attributes: { exclusive: bool(true), reverse: bool(true) },
    expected: (x) => tf.cumsum(x, 1, true, true),
  },
  {
    op: "TopKV2",
    fed: [x34()],
    constants: { 1: intScalar(2) },
    attributes: { sorted: bool(true) },
    expected: (x) => {
      const { values, indices } = tf.topk(x, 2);
      return [values, indices];
    },
  },
];

describeOps("operations on one value", unaries);
describeOps("operations on two values", binaries);
describeOps("products", matrices);
describeOps("reductions", reductions);
