import * as tf from "@tensorflow/tfjs";

import { wave } from "./build-graph.js";
import type { Format } from "./run-formats.js";

/** A function on tensors that runs one kernel, with inputs of `batch` examples. */
export interface KernelCase {
  readonly note?: string;
  readonly inputs: (batch: number) => tf.Tensor[];
  readonly compute: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Formats that cannot express it, and a part of why. */
  readonly refused?: Partial<Record<Format, string>>;
}

type Kernels = Readonly<Record<string, readonly KernelCase[]>>;
type Compute = KernelCase["compute"];

const floats =
  (...shape: number[]) =>
  (batch: number): tf.Tensor[] => [wave([batch, ...shape], 2)];
const positive = (batch: number): tf.Tensor[] => [wave([batch, 5], 0.4, 0.5)];
const above = (batch: number): tf.Tensor[] => [wave([batch, 5], 0.4, 1.5)];
const pair = (batch: number): tf.Tensor[] => [wave([batch, 5], 2), wave([batch, 5], 0.7, 1)];
const equalPair = (batch: number): tf.Tensor[] => [tf.round(wave([batch, 5], 2)), tf.round(wave([batch, 5], 2, 0.4))];
const image = floats(6, 5, 3);
const volume = floats(4, 5, 6, 2);
const indices = (batch: number, limit: number, ...shape: number[]): tf.Tensor =>
  tf.cast(tf.abs(tf.mul(wave([batch, ...shape]), limit - 0.01)), "int32");
const noOnnx = { onnx: "no counterpart" } as const;

/** One case of a kernel with one argument. */
function one(compute: (x: never) => tf.Tensor | tf.Tensor[], inputs = floats(5)): readonly KernelCase[] {
  return [{ inputs, compute: compute as Compute }];
}

function two(compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, inputs = pair): readonly KernelCase[] {
  return [{ inputs, compute }];
}

const filter = (...shape: number[]): tf.Tensor => wave(shape, 0.6);
const paddings = ["same", "valid"] as const;

const elementwise: Kernels = {
  Abs: one(tf.abs),
  Acos: one(tf.acos, positive),
  Acosh: one(tf.acosh, above),
  Asin: one(tf.asin, positive),
  Asinh: one(tf.asinh),
  Atan: one(tf.atan),
  Atanh: one(tf.atanh, positive),
  Ceil: one(tf.ceil),
  Cos: one(tf.cos),
  Cosh: one(tf.cosh),
  Elu: one(tf.elu),
  Erf: one(tf.erf),
  Exp: one(tf.exp),
  Expm1: one(tf.expm1),
  Floor: one(tf.floor),
  IsFinite: one((x: tf.Tensor) => tf.isFinite(tf.div(1, tf.relu(x)))),
  IsInf: one((x: tf.Tensor) => tf.isInf(tf.div(1, tf.relu(x)))),
  IsNan: one((x: tf.Tensor) => tf.isNaN(tf.sqrt(x))),
  Log: one(tf.log, positive),
  Log1p: one(tf.log1p, positive),
  LogicalNot: one((x: tf.Tensor) => tf.logicalNot(tf.greater(x, 0))),
  Neg: one(tf.neg),
  OnesLike: one((x: tf.Tensor) => tf.mul(tf.onesLike(x), 2)),
  Reciprocal: one(tf.reciprocal, positive),
  Relu: one(tf.relu),
  Relu6: one((x: tf.Tensor) => tf.relu6(tf.mul(x, 4))),
  Round: one(tf.round),
  Rsqrt: one(tf.rsqrt, positive),
  Selu: one(tf.selu),
  Sigmoid: one(tf.sigmoid),
  Sign: one(tf.sign),
  Sin: one(tf.sin),
  Sinh: one(tf.sinh),
  Softplus: one(tf.softplus),
  Sqrt: one(tf.sqrt, positive),
  Square: one(tf.square),
  Step: [...one(tf.step), { note: "with a slope and NaN", inputs: floats(5), compute: (x) => tf.step(tf.log(x), 0.3) }],
  Tan: one(tf.tan),
  Tanh: one(tf.tanh),
  ZerosLike: one((x: tf.Tensor) => tf.add(tf.zerosLike(x), 2)),
  Add: two(tf.add),
  AddN: [{ inputs: pair, compute: (a, b) => tf.addN([a, b, a]) }],
  Atan2: two(tf.atan2),
  Cast: one((x: tf.Tensor) => tf.cast(x, "int32")),
  ClipByValue: one((x: tf.Tensor) => tf.clipByValue(x, -0.5, 0.7)),
  Equal: two(tf.equal, equalPair),
  FloorDiv: two(tf.floorDiv),
  Greater: two(tf.greater, equalPair),
  GreaterEqual: two(tf.greaterEqual, equalPair),
  Identity: one((x: tf.Tensor) => tf.add(tf.clone(x), 1)),
  LeakyRelu: one((x: tf.Tensor) => tf.leakyRelu(x, 0.3)),
  Less: two(tf.less, equalPair),
  LessEqual: two(tf.lessEqual, equalPair),
  LogicalAnd: two((a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 1))),
  LogicalOr: two((a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 1))),
  Maximum: two(tf.maximum),
  Minimum: two(tf.minimum),
  Mod: two(tf.mod),
  Multiply: two(tf.mul),
  NotEqual: two(tf.notEqual, equalPair),
  Pow: two((a, b) => tf.pow(tf.abs(a), b)),
  Prelu: two(tf.prelu),
  RealDiv: two(tf.div),
  Select: two((a, b) => tf.where(tf.greater(a, b), a, b)),
  SquaredDifference: two(tf.squaredDifference),
  Sub: two(tf.sub),
};

const convolutions: Kernels = {
  Conv2D: paddings.map((pad) => ({
    note: pad,
    inputs: image,
    compute: (x) => tf.conv2d(x as tf.Tensor4D, filter(3, 2, 3, 4) as tf.Tensor4D, 2, pad),
  })),
  FusedConv2D: [
    {
      inputs: image,
      compute: (x) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter(3, 3, 3, 4) as tf.Tensor4D,
          strides: 1,
          pad: 1,
          bias: filter(4),
          activation: "relu6",
        }),
    },
  ],
  DepthwiseConv2dNative: one(
    (x: tf.Tensor4D) => tf.depthwiseConv2d(x, filter(3, 3, 3, 2) as tf.Tensor4D, 1, "same"),
    image,
  ),
  FusedDepthwiseConv2D: one(
    (x: tf.Tensor4D) =>
      tf.fused.depthwiseConv2d({
        x,
        filter: filter(3, 3, 3, 2) as tf.Tensor4D,
        strides: 1,
        pad: "valid",
        bias: filter(6),
        activation: "leakyrelu",
        leakyreluAlpha: 0.1,
      }),
    image,
  ),
  Conv2DBackpropInput: one(
    (x: tf.Tensor4D) => tf.conv2dTranspose(x, filter(3, 3, 4, 3) as tf.Tensor4D, [x.shape[0], 12, 10, 4], 2, "same"),
    image,
  ),
  Conv3D: paddings.flatMap((pad) =>
    [1, 2, 4].map((stride) => ({
      note: `${pad} stride ${stride}`,
      inputs: volume,
      compute: (x: tf.Tensor) => tf.conv3d(x as tf.Tensor5D, filter(2, 3, 2, 2, 3) as tf.Tensor5D, stride, pad),
    })),
  ),
  Conv3DBackpropInputV2: [
    ["same", [1, 1, 1], [4, 5, 6]],
    ["same", [2, 2, 2], [8, 10, 12]],
    ["same", [2, 1, 3], [7, 5, 17]],
    ["same", [3, 1, 4], [12, 5, 24]],
    ["valid", [1, 1, 1], [5, 7, 7]],
    ["valid", [2, 3, 1], [8, 15, 7]],
  ].map(([pad, strides, sizes]) => ({
    note: `${pad as string} ${JSON.stringify(strides)}`,
    inputs: volume,
    compute: (x: tf.Tensor) =>
      tf.conv3dTranspose(
        x as tf.Tensor5D,
        filter(2, 3, 2, 3, 2) as tf.Tensor5D,
        [x.shape[0], ...(sizes as [number, number, number]), 3],
        strides as [number, number, number],
        pad as "same",
      ),
  })),
  Dilation2D: [
    {
      inputs: image,
      compute: (x) => tf.dilation2d(x as tf.Tensor4D, filter(2, 3, 3) as tf.Tensor3D, 1, "same", [2, 1]),
      refused: noOnnx,
    },
  ],
  MaxPool: paddings.map((pad) => ({
    note: pad,
    inputs: image,
    compute: (x) => tf.maxPool(x as tf.Tensor4D, [3, 2], 2, pad),
  })),
  AvgPool: paddings.map((pad) => ({
    note: pad,
    inputs: image,
    compute: (x) => tf.avgPool(x as tf.Tensor4D, [3, 2], 2, pad),
  })),
  MaxPool3D: paddings.map((pad) => ({
    note: pad,
    inputs: volume,
    compute: (x) => tf.maxPool3d(tf.sub<tf.Tensor5D>(x, 3), [2, 3, 2], [1, 2, 3], pad),
  })),
  AvgPool3D: paddings.map((pad) => ({
    note: pad,
    inputs: volume,
    compute: (x) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 2], [1, 2, 3], pad),
  })),
  MaxPoolWithArgmax: [
    {
      inputs: image,
      compute: (x) => {
        const { result, indexes } = tf.maxPoolWithArgmax(x as tf.Tensor4D, [2, 2], 2, "valid");
        return [result!, indexes!];
      },
      refused: noOnnx,
    },
  ],
};

const none = [
  [0, 0],
  [0, 0],
];

const shapes: Kernels = {
  BatchToSpaceND: [
    {
      inputs: floats(4, 6, 2),
      compute: (x) => tf.batchToSpaceND(tf.neg(tf.spaceToBatchND(x, [2, 3], none)), [2, 3], none),
    },
    {
      note: "cropped",
      inputs: floats(4, 6, 2),
      compute: (x) =>
        tf.batchToSpaceND(
          tf.neg(tf.spaceToBatchND(x, [2, 3], none)),
          [2, 3],
          [
            [1, 0],
            [0, 2],
          ],
        ),
    },
  ],
  SpaceToBatchND: [
    {
      inputs: image,
      compute: (x) =>
        tf.spaceToBatchND(
          x,
          [2, 3],
          [
            [1, 1],
            [0, 1],
          ],
        ),
    },
  ],
  DepthToSpace: one((x: tf.Tensor4D) => tf.depthToSpace(x, 2, "NHWC"), floats(3, 2, 8)),
  Concat: two((a, b) => tf.concat([a, b], 1)),
  Diag: [{ inputs: floats(4), compute: (x) => tf.matMul(x, tf.diag(tf.sum(x, 0))) }],
  ExpandDims: one((x: tf.Tensor) => tf.expandDims(x, 1)),
  MirrorPad: (["reflect", "symmetric"] as const).map((mode) => ({
    note: mode,
    inputs: floats(5),
    compute: (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [2, 1],
        ],
        mode,
      ),
  })),
  Pack: two((a, b) => tf.stack([a, b], 1)),
  PadV2: one((x: tf.Tensor) =>
    tf.pad(
      x,
      [
        [0, 0],
        [2, 1],
      ],
      0.5,
    ),
  ),
  Reshape: one((x: tf.Tensor) => tf.reshape(x, [-1, 3, 2]), floats(6)),
  Reverse: one((x: tf.Tensor) => tf.reverse(x, 1)),
  Slice: one((x: tf.Tensor) => tf.slice(x, [0, 1], [-1, 3])),
  SplitV: [
    { note: "equal", inputs: floats(6), compute: (x) => tf.split(x, 3, 1) },
    { note: "unequal", inputs: floats(6), compute: (x) => tf.split(x, [1, 3, 2], 1) },
  ],
  StridedSlice: one((x: tf.Tensor) => tf.stridedSlice(x, [0, 4], [x.shape[0], 0], [1, -2])),
  Tile: one((x: tf.Tensor) => tf.tile(x, [1, 3])),
  Transpose: one((x: tf.Tensor) => tf.transpose(x, [0, 2, 1]), floats(3, 4)),
  Unpack: one((x: tf.Tensor) => tf.unstack(x, 1), floats(3, 4)),
};

const cumulative = (["exclusive", "inclusive"] as const).flatMap((kind) =>
  [false, true].map((reverse) => ({
    note: `${kind}${reverse ? " reverse" : ""}`,
    exclusive: kind === "exclusive",
    reverse,
  })),
);

const lookups: Kernels = {
  Bincount: [
    {
      inputs: (batch) => [tf.reshape(indices(batch, 5, 6), [-1])],
      compute: (x) => tf.mul(tf.ones([1, 1]), tf.bincount(x as tf.Tensor1D, tf.tensor1d([]), 5)),
    },
  ],
  DenseBincount: [
    ...[false, true].map((isBinary) => ({
      note: isBinary ? "binary" : "counted",
      inputs: (batch: number) => [indices(batch, 5, 6)],
      compute: (x: tf.Tensor) => tf.denseBincount(x as tf.Tensor2D, tf.tensor1d([]) as never, 5, isBinary),
    })),
    {
      note: "weighted",
      inputs: (batch) => [indices(batch, 5, 6), wave([batch, 6])],
      compute: (x, weights) => tf.denseBincount(x as tf.Tensor2D, weights as tf.Tensor2D, 5),
    },
  ],
  UnsortedSegmentSum: [
    {
      inputs: (batch) => [wave([batch, 3, 2]), tf.reshape(indices(batch, 4, 1), [-1])],
      compute: (x, ids) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4),
    },
  ],
  SearchSorted: (["left", "right"] as const).map((side) => ({
    note: side,
    inputs: (batch) => [indices(batch, 7, 4)],
    compute: (x) => tf.searchSorted(tf.cumsum(x, 1), tf.add(x, tf.scalar(3, "int32")), side),
  })),
  Cumprod: cumulative.map(({ note, exclusive, reverse }) => ({
    note,
    inputs: floats(4, 3),
    compute: (x) => tf.cumprod(x, 1, exclusive, reverse),
  })),
  Cumsum: cumulative.map(({ note, exclusive, reverse }) => ({
    note,
    inputs: floats(4, 3),
    compute: (x) => tf.cumsum(x, 1, exclusive, reverse),
  })),
  GatherV2: [
    { inputs: floats(5, 2), compute: (x) => tf.gather(x, tf.tensor1d([3, 0, 3], "int32"), 1) },
    {
      note: "of each example",
      inputs: (batch) => [wave([batch, 5, 2]), indices(batch, 5, 3)],
      compute: (x, at) => tf.gather(x, at, 1, 1),
    },
  ],
  GatherNd: [
    {
      inputs: (batch) => [indices(batch, 3, 4, 2)],
      compute: (at) => tf.gatherND(filter(3, 3, 2), at),
    },
  ],
  ScatterNd: [
    {
      inputs: (batch) => [wave([batch, 4])],
      compute: (x) =>
        tf.scatterND(tf.tensor2d([[4], [1], [4]], [3, 1], "int32"), tf.slice(tf.concat([x, x, x]), 0, 3), [6, 4]),
    },
  ],
  TensorScatterUpdate: [
    {
      inputs: floats(4),
      compute: (x) =>
        tf.tensorScatterUpdate(
          filter(6, 4),
          tf.tensor2d([[4], [1]], [2, 1], "int32"),
          tf.slice(tf.concat([x, x]), 0, 2),
        ),
    },
  ],
  SparseToDense: [
    {
      inputs: floats(4),
      compute: (x) =>
        tf.sparseToDense(tf.tensor1d([4, 0, 2, 5], "int32"), tf.reshape(tf.slice(x, 0, 1), [4]), [7], 0.5),
    },
  ],
  OneHot: [
    { inputs: (batch) => [indices(batch, 5, 3)], compute: (x) => tf.oneHot(x, 4, 2, -1) },
    {
      note: "of floats",
      inputs: (batch) => [indices(batch, 5, 3)],
      compute: (x) => tf.oneHot(x, 4, 0.5, -1, "float32"),
    },
  ],
  TopK: [
    {
      inputs: floats(6),
      compute: (x) => {
        const { values, indices: at } = tf.topk(x, 3);
        return [values, at];
      },
    },
  ],
  CropAndResize: [
    {
      note: "by boxes of the input",
      inputs: (batch) => [wave([batch, 6, 5, 3]), wave([batch, 4], 0.2, 0.5)],
      compute: (x, boxes) =>
        tf.image.cropAndResize(
          x as tf.Tensor4D,
          boxes as tf.Tensor2D,
          tf.cast(tf.sum(tf.mul(boxes, 0), 1), "int32"),
          [3, 4],
        ),
      refused: noOnnx,
    },
  ],
  FlipLeftRight: one((x: tf.Tensor4D) => tf.image.flipLeftRight(x), image),
  ResizeBilinear: one((x: tf.Tensor4D) => tf.image.resizeBilinear(x, [9, 4], true), image),
  ResizeNearestNeighbor: one((x: tf.Tensor4D) => tf.image.resizeNearestNeighbor(x, [9, 4], false, true), image),
  RotateWithOffset: [
    { inputs: image, compute: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, 0.7, 0.25, [0.4, 0.6]) },
    {
      note: "with a colour around",
      inputs: floats(5, 4, 4),
      compute: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, 2, [0.1, 0.2, 0.3]),
    },
  ],
  Transform: [
    {
      inputs: image,
      compute: (x) =>
        tf.image.transform(
          x as tf.Tensor4D,
          tf.tensor2d([[1, 0.2, -1, 0.1, 0.9, 0.5, 0, 0]]),
          "bilinear",
          "constant",
          0.5,
        ),
      refused: noOnnx,
    },
  ],
};

const along: Kernels = {
  All: one((x: tf.Tensor) => tf.all(tf.greater(x, -1.5), 1)),
  Any: one((x: tf.Tensor) => tf.any(tf.greater(x, 1.5), 1)),
  ArgMax: one((x: tf.Tensor) => tf.argMax(x, 1)),
  ArgMin: one((x: tf.Tensor) => tf.argMin(x, 1)),
  Max: one((x: tf.Tensor) => tf.max(x, 1)),
  Mean: one((x: tf.Tensor) => tf.mean(x, 1, true)),
  Min: one((x: tf.Tensor) => tf.min(x, 1)),
  Prod: one((x: tf.Tensor) => tf.prod(x, 1)),
  Sum: one((x: tf.Tensor) => tf.sum(x, 1)),
  Softmax: one((x: tf.Tensor) => tf.softmax(x)),
  LRN: one((x: tf.Tensor4D) => tf.localResponseNormalization(x, 1, 2, 0.3, 0.6), image),
  FusedBatchNorm: one(
    (x: tf.Tensor4D) => tf.batchNorm4d(x, [0.1, 0.2, 0.3], [1, 2, 3], [0.5, 0.4, 0.3], [2, 1, 3], 0.01),
    image,
  ),
  BatchMatMul: [
    { inputs: floats(3, 4), compute: (x) => tf.matMul(x, filter(4, 2)) },
    { note: "transposed", inputs: floats(3, 4), compute: (x) => tf.matMul(x, x, false, true) },
  ],
  _FusedMatMul: one((x: tf.Tensor) => tf.fused.matMul({ a: x, b: filter(5, 3), bias: filter(3), activation: "elu" })),
  Einsum: [{ inputs: floats(3, 4), compute: (x) => tf.einsum("bij,jk->bki", x, filter(4, 2)) }],
};

/** A case or more for every kernel that is translated. */
export const kernelCases: Kernels = { ...elementwise, ...convolutions, ...shapes, ...lookups, ...along };
