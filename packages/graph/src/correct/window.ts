import { tf } from "#tfjs";

import { countUnreached } from "../ir/window-axis.js";
import { type Correction, type KernelAttributes, type KernelInputs, takeInput } from "./correction.js";
import { transposeConvolution3d } from "./transpose-convolution-3d.js";

const convolutions2d = ["Conv2D", "FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2D"];
const windows3d = ["AvgPool3D", "Conv3D", "MaxPool3D"];

/** One number for each spatial axis. */
function spread(value: unknown, rank: number): readonly number[] {
  return Array.isArray(value) ? (value as number[]) : Array.from({ length: rank }, () => value as number);
}

function triple(value: unknown): readonly [number, number, number] {
  const [depth = 1, height = 1, width = 1] = spread(value, 3);
  return [depth, height, width];
}

/** How many elements a window covers on each spatial axis. */
function spansOf(inputs: KernelInputs, { filterSize, dilations }: KernelAttributes): readonly number[] {
  const rank = takeInput(inputs, "x").rank - 2;
  const sizes = filterSize === undefined ? takeInput(inputs, "filter").shape : spread(filterSize, rank);
  return spread(dilations ?? 1, rank).map((dilation, spatial) => ((sizes[spatial] ?? 1) - 1) * dilation + 1);
}

/** The shape of x without the elements at the end that no step of a window with the padding `same` reaches. */
function reachedShape(inputs: KernelInputs, attributes: KernelAttributes): readonly number[] {
  const x = takeInput(inputs, "x");
  if (attributes["pad"] !== "same") return x.shape;
  const spans = spansOf(inputs, attributes);
  const strides = spread(attributes["strides"], spans.length);
  return x.shape.map((size, axis) => {
    const [span, stride] = [spans[axis - 1], strides[axis - 1]];
    return span === undefined || stride === undefined ? size : size - countUnreached(size, span, stride);
  });
}

function isSkipping(inputs: KernelInputs, attributes: KernelAttributes): boolean {
  const { shape } = takeInput(inputs, "x");
  return reachedShape(inputs, attributes).some((size, axis) => size !== shape[axis]);
}

function computeReached(inputs: KernelInputs, attributes: KernelAttributes, kernel: string): tf.Tensor {
  const x = takeInput(inputs, "x");
  const shape = [...reachedShape(inputs, attributes)];
  const begin = x.shape.map(() => 0);
  return tf
    .engine()
    .runKernel(kernel, { ...inputs, x: tf.slice(x, begin, shape) }, { ...attributes } as tf.NamedAttrMap);
}

const reasonOfShift = "a window whose strides leave elements out is shifted with the padding same";

const shifted3d: Correction = {
  kernels: windows3d,
  backends: ["cpu", "wasm"],
  reason: reasonOfShift,
  isWrong: isSkipping,
  compute: computeReached,
};

const shifted2d: Correction = {
  kernels: convolutions2d,
  backends: ["wasm"],
  reason: reasonOfShift,
  isWrong: (inputs, attributes) =>
    isSkipping(inputs, attributes) && spansOf(inputs, attributes).some((span) => span > 1),
  compute: computeReached,
};

const channelsFirst: Correction = {
  kernels: ["Conv2D"],
  backends: ["wasm"],
  reason: "2-D convolution with channels first is not computed at all",
  isWrong: (_, { dataFormat, pad }) => dataFormat === "NCHW" && (pad === "same" || pad === "valid"),
  compute: (inputs, { strides, pad, dilations }) => {
    const images = tf.transpose(takeInput(inputs, "x") as tf.Tensor4D, [0, 2, 3, 1]);
    const filter = takeInput(inputs, "filter") as tf.Tensor4D;
    const [steps, rates] = [strides, dilations ?? 1] as [number, number];
    return tf.transpose(tf.conv2d(images, filter, steps, pad as "same" | "valid", "NHWC", rates), [0, 3, 1, 2]);
  },
};

const maxPool3d: Correction = {
  kernels: ["MaxPool3D"],
  backends: ["wasm"],
  reason: "3-D max pooling gives about 0 for a window of negative numbers only",
  isWrong: (_, { pad }) => pad === "same" || pad === "valid",
  // A maximum over a box is one over depth of those over height and width.
  compute: (inputs, { filterSize, strides, pad }) => {
    const [depth, height, width] = triple(filterSize);
    const [depthStride, heightStride, widthStride] = triple(strides);
    const x = takeInput(inputs, "x");
    const [batch = 0, layers = 0, rows = 0, columns = 0, channels = 0] = x.shape;
    const padding = pad as "same" | "valid";
    const images = tf.reshape<tf.Rank.R4>(x, [batch * layers, rows, columns, channels]);
    const pooled = tf.maxPool(images, [height, width], [heightStride, widthStride], padding);
    const [, outRows, outColumns] = pooled.shape;
    const columnsOfLayers = tf.reshape<tf.Rank.R4>(pooled, [batch, layers, outRows * outColumns, channels]);
    const result = tf.maxPool(columnsOfLayers, [depth, 1], [depthStride, 1], padding);
    return tf.reshape(result, [batch, result.shape[1], outRows, outColumns, channels]);
  },
};

function computeTransposed(inputs: KernelInputs, { strides, pad, inputShape }: KernelAttributes): tf.Tensor {
  return transposeConvolution3d(takeInput(inputs, "dy"), takeInput(inputs, "filter"), {
    outputShape: inputShape as number[],
    strides: triple(strides),
    padding: pad === "same" ? "SAME" : "VALID",
  });
}

const shiftedTransposed: Correction = {
  kernels: ["Conv3DBackpropInputV2"],
  backends: ["cpu"],
  reason: reasonOfShift,
  isWrong: (inputs, { strides, pad, inputShape }) => {
    const { shape } = takeInput(inputs, "filter");
    const sizes = inputShape as number[];
    const isUnreached = (stride: number, spatial: number): boolean =>
      countUnreached(sizes[spatial + 1] ?? 0, shape[spatial] ?? 1, stride) > 0;
    return pad === "same" && triple(strides).some(isUnreached);
  },
  compute: computeTransposed,
};

const wrongBorders: Correction = {
  kernels: ["Conv3DBackpropInputV2"],
  backends: ["wasm"],
  reason: "3-D transposed convolution is wrong at the borders",
  isWrong: () => true,
  compute: computeTransposed,
};

/** Convolutions and poolings. */
export const windowCorrections: readonly Correction[] = [
  channelsFirst,
  shifted2d,
  shifted3d,
  maxPool3d,
  shiftedTransposed,
  wrongBorders,
];
