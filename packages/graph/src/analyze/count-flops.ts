import type { Graph, Node } from "../ir/graph.js";
import { countElements, type ExampleShapeOf, resolveExampleShapes } from "./shapes-of-one-example.js";

/** Shapes of a node's inputs and of its first output. */
interface NodeShapes {
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}

type Count = (shapes: NodeShapes, node: Node) => number;

/** Moves or makes values, and computes none from others. */
const nothing: Count = () => 0;
const eachOutput: Count = ({ output }) => countElements(output);
const eachInput: Count = ({ inputs: [first = []] }) => countElements(first);
/** A product with the filter, whose last axis is the outputs', for each output. */
const convolve: Count = ({ inputs: [, filter = []], output }) =>
  2 * countElements(output) * countElements(filter.slice(0, -1));
/** The filter is [sizes..., outputs, inputs], and each input is spread by it. */
const convolveTransposed: Count = ({ inputs: [, filter = [], input = []] }) =>
  2 * countElements(input) * countElements(filter.slice(0, -1));
/** Each output looks at the window on one channel. */
const convolveDepthwise: Count = ({ inputs: [, filter = []], output }) =>
  2 * countElements(output) * countElements(filter.slice(0, -2));
const pool: Count = ({ output }, { attributes: { ksize } }) =>
  countElements(output) * (ksize?.kind === "ints" ? countElements(ksize.value) : Number.NaN);
const multiplyMatrices: Count = ({ inputs: [first = []], output }, { attributes }) => {
  const isTransposed = [attributes["transpose_a"], attributes["adj_x"]].some(
    (flag) => flag?.kind === "bool" && flag.value,
  );
  return 2 * countElements(output) * (first.at(isTransposed ? -2 : -1) ?? Number.NaN);
};
/** The largest, the difference to it, its exponential, their sum, and the quotient. */
const normalize: Count = ({ output }) => 5 * countElements(output);
/** A square, the sum of those in the window along the channels, and three to scale by it. */
const normalizeLocally: Count = ({ output }, { attributes: { depth_radius: radius } }) =>
  countElements(output) * (2 * (2 * (radius?.kind === "int" ? radius.value : Number.NaN) + 1) + 3);
/** A sum and a comparison for each element of the window. */
const dilate: Count = ({ inputs: [, filter = []], output }) =>
  2 * countElements(output) * countElements(filter.slice(0, -1));
/** The body once for each step; the steps are the second axis of a sequence. */
const repeatBody: Count = ({ inputs: [sequence = []] }, { scan }) =>
  scan === undefined ? Number.NaN : (sequence[1] ?? Number.NaN) * (sumFlops(scan.body) ?? Number.NaN);
/** Three interpolations of a difference, a product and a sum. */
const interpolate: Count = ({ output }) => 9 * countElements(output);
const addAll: Count = ({ inputs, output }) => (inputs.length - 1) * countElements(output);

function contract({ inputs }: NodeShapes, { attributes: { equation } }: Node): number {
  const terms = equation?.kind === "string" ? (equation.value.split("->")[0] ?? "").split(",") : [];
  const sizes = new Map<string, number>();
  for (const [index, term] of terms.entries()) {
    for (const [axis, label] of Array.from(term.trim()).entries())
      sizes.set(label, inputs[index]?.[axis] ?? Number.NaN);
  }
  return sizes.has(".") ? Number.NaN : inputs.length * countElements([...sizes.values()]);
}

function each(count: Count, ops: string): Readonly<Record<string, Count>> {
  return Object.fromEntries(ops.split(" ").map((op) => [op, count]));
}

/** What each operation costs; one that is not listed has no formula. */
export const flopFormulas: Readonly<Record<string, Count>> = {
  ...each(
    nothing,
    "BroadcastTo Cast ConcatV2 Const ExpandDims Fill GatherNd GatherV2 Identity MirrorPad OneHot OnesLike Pack PadV2 " +
      "Placeholder Range Reshape ResizeNearestNeighbor ReverseV2 Shape Slice Split SplitV Squeeze StridedSlice Tile " +
      "TensorScatterUpdate Transpose Unpack ZerosLike",
  ),
  ...each(
    eachOutput,
    "Abs Acos Acosh AddV2 Asin Asinh Atan Atan2 Atanh BiasAdd Ceil ClipByValue Cos Cosh Elu Equal Erf Exp Expm1 Floor " +
      "FloorDiv FloorMod Greater GreaterEqual IsFinite IsInf IsNan LeakyRelu Less LessEqual Log Log1p LogicalAnd " +
      "LogicalNot LogicalOr Maximum Minimum Mul Neg NotEqual Pow Prelu RealDiv Reciprocal Relu Relu6 Round Rsqrt " +
      "SelectV2 Selu Sigmoid Sign Sin Sinh Softplus Sqrt Square SquaredDifference Sub Tan Tanh",
  ),
  ...each(eachInput, "All Any ArgMax ArgMin Cumprod Cumsum Max Mean Min Prod ScatterNd Sum"),
  ...each(convolve, "Conv2D Conv3D"),
  ...each(convolveTransposed, "Conv2DBackpropInput Conv3DBackpropInputV2"),
  ...each(multiplyMatrices, "BatchMatMulV2 MatMul"),
  ...each(pool, "AvgPool AvgPool3D MaxPool MaxPool3D MaxPoolWithArgmax"),
  ...each(normalize, "LogSoftmax Softmax"),
  AddN: addAll,
  DepthwiseConv2dNative: convolveDepthwise,
  Einsum: contract,
  ...each(interpolate, "CropAndResize ResizeBilinear"),
  Dilation2D: dilate,
  LRN: normalizeLocally,
  Scan: repeatBody,
};

/**
 * Floating-point operations for one example: a multiply-add counts as 2, an elementwise operation or activation as 1 for
 * each output, a pooling as 1 for each element of a window, a reduction as 1 for each input, a softmax as 5 for each
 * output, a recurrence its step as often as there are steps; data that is only moved costs nothing. Padding is counted as if it were data. A graph whose batch is fixed is
 * counted whole and divided by it.
 *
 * The convention is that of TensorFlow's profiler (tensorflow/python/profiler/internal/flops_registry.py), except that
 * functions such as `Exp` count as 1 whatever they are made of.
 *
 * Gives `undefined` where a size depends on more than the batch, or an operation has no formula.
 */
export function countFlops(graph: Graph): number | undefined {
  const total = sumFlops(graph);
  return total === undefined ? undefined : total / fixedBatchOf(graph);
}

function sumFlops(graph: Graph): number | undefined {
  const shapeOf = resolveExampleShapes(graph);
  let total = 0;
  for (const node of graph.nodes) {
    const count = flopFormulas[node.op];
    if (count === undefined) return undefined;
    if (count !== nothing) total += countNode(node, count, shapeOf);
  }
  return Number.isFinite(total) ? total : undefined;
}

/** NaN where a shape is not known. */
function countNode(node: Node, count: Count, shapeOf: ExampleShapeOf): number {
  const output = shapeOf({ node: node.name, output: 0 });
  const inputs = node.inputs.map(shapeOf);
  const known = inputs.flatMap((shape) => (shape === undefined ? [] : [shape]));
  return output === undefined || known.length < inputs.length ? Number.NaN : count({ inputs: known, output }, node);
}

function fixedBatchOf({ inputs, nodes }: Graph): number {
  const shape = nodes.find(({ name }) => name === inputs[0]?.node)?.outputs[0]?.shape;
  return shape?.[0] ?? 1;
}
