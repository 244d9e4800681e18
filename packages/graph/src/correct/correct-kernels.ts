import * as tf from "@tensorflow/tfjs";

import { countUnreached } from "../ir/window-axis.js";
import { transposeConvolution3d } from "./transpose-convolution-3d.js";

type Inputs = Readonly<Record<string, tf.Tensor>>;
type KernelAttributes = Readonly<Record<string, unknown>>;

/** A kernel of TensorFlow.js 4.22 that gives wrong results, and what gives right ones. */
interface Correction {
  readonly backends: readonly string[];
  /** What is wrong, to be read after "its". */
  readonly reason: string;
  readonly isWrong: (inputs: Inputs, attributes: KernelAttributes) => boolean;
  readonly compute: (inputs: Inputs, attributes: KernelAttributes) => tf.Tensor;
}

function take(inputs: Inputs, slot: string): tf.Tensor {
  const tensor = inputs[slot];
  if (tensor === undefined) throw new TypeError(`A kernel lacks its argument ${slot}.`);
  return tensor;
}

// The kernels go round and round the elements of a parameter, which is right only for the last axes of x.
function isTrailing({ shape }: tf.Tensor, x: tf.Tensor): boolean {
  const start = shape.findIndex((size) => size !== 1);
  const own = start === -1 ? [] : shape.slice(start);
  return own.every((size, axis) => size === x.shape[x.rank - own.length + axis]);
}

const batchNorm: Correction = {
  backends: ["cpu", "wasm"],
  reason: "batch normalization over an axis other than the last applies the parameters to the wrong elements",
  isWrong: (inputs) =>
    ["mean", "variance", "scale", "offset"]
      .flatMap((slot) => inputs[slot] ?? [])
      .some((parameter) => !isTrailing(parameter, take(inputs, "x"))),
  compute: (inputs, { varianceEpsilon }) => {
    const inverse = tf.rsqrt(tf.add(take(inputs, "variance"), tf.scalar(varianceEpsilon as number)));
    const factor = inputs["scale"] === undefined ? inverse : tf.mul(inverse, inputs["scale"]);
    const scaled = tf.mul(tf.sub(take(inputs, "x"), take(inputs, "mean")), factor);
    return inputs["offset"] === undefined ? scaled : tf.add(scaled, inputs["offset"]);
  },
};

function triple(value: unknown): readonly [number, number, number] {
  return (typeof value === "number" ? [value, value, value] : value) as [number, number, number];
}

const shifted = "a 3-D window whose strides leave elements out is shifted with the padding same";

/** The axes of x over which a 3-D window is shifted, cut to what it reaches. */
function reachedShape(x: tf.Tensor, spans: readonly number[], { strides, pad }: KernelAttributes): readonly number[] {
  if (pad !== "same") return x.shape;
  const steps = triple(strides);
  return x.shape.map((size, axis) => {
    const [span, stride] = [spans[axis - 1], steps[axis - 1]];
    return span === undefined || stride === undefined ? size : size - countUnreached(size, span, stride);
  });
}

function spansOf(inputs: Inputs, { filterSize, dilations }: KernelAttributes): readonly number[] {
  const [depth, height, width] = triple(dilations ?? 1);
  const sizes = filterSize === undefined ? take(inputs, "filter").shape : triple(filterSize);
  return [depth, height, width].map((dilation, spatial) => ((sizes[spatial] ?? 1) - 1) * dilation + 1);
}

function reached(inputs: Inputs, attributes: KernelAttributes): tf.Tensor {
  const x = take(inputs, "x");
  const shape = reachedShape(x, spansOf(inputs, attributes), attributes);
  return tf.slice(
    x,
    x.shape.map(() => 0),
    [...shape],
  );
}

function isShifted(inputs: Inputs, attributes: KernelAttributes): boolean {
  const x = take(inputs, "x");
  return reachedShape(x, spansOf(inputs, attributes), attributes).some((size, axis) => size !== x.shape[axis]);
}

function shiftedWindow(kernel: string): Correction {
  return {
    backends: ["cpu", "wasm"],
    reason: shifted,
    isWrong: isShifted,
    compute: (inputs, attributes) =>
      tf
        .engine()
        .runKernel(kernel, { ...inputs, x: reached(inputs, attributes) }, { ...attributes } as tf.NamedAttrMap),
  };
}

const maxPool3d: Correction = {
  backends: ["wasm"],
  reason: "3-D max pooling gives about 0 for a window of negative numbers only",
  isWrong: (_, { pad }) => pad === "same" || pad === "valid",
  // A maximum over a box is one over depth of those over height and width.
  compute: (inputs, { filterSize, strides, pad }) => {
    const [depth, height, width] = triple(filterSize);
    const [depthStride, heightStride, widthStride] = triple(strides);
    const x = take(inputs, "x");
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

function transposedConvolution(inputs: Inputs, { strides, pad, inputShape }: KernelAttributes): tf.Tensor {
  return transposeConvolution3d(take(inputs, "dy"), take(inputs, "filter"), {
    outputShape: inputShape as number[],
    strides: triple(strides),
    padding: pad === "same" ? "SAME" : "VALID",
  });
}

const shiftedTransposed: Correction = {
  backends: ["cpu"],
  reason: shifted,
  isWrong: (inputs, { strides, pad, inputShape }) => {
    const { shape } = take(inputs, "filter");
    const sizes = inputShape as number[];
    return (
      pad === "same" &&
      triple(strides).some(
        (stride, spatial) => countUnreached(sizes[spatial + 1] ?? 0, shape[spatial] ?? 1, stride) > 0,
      )
    );
  },
  compute: transposedConvolution,
};

const wrongBorders: Correction = {
  backends: ["wasm"],
  reason: "3-D transposed convolution is wrong at the borders",
  isWrong: () => true,
  compute: transposedConvolution,
};

const corrections: Readonly<Record<string, readonly Correction[]>> = {
  AvgPool3D: [shiftedWindow("AvgPool3D")],
  Conv3D: [shiftedWindow("Conv3D")],
  Conv3DBackpropInputV2: [shiftedTransposed, wrongBorders],
  FusedBatchNorm: [batchNorm],
  MaxPool3D: [shiftedWindow("MaxPool3D"), maxPool3d],
};

/**
 * Runs `compute` with TensorFlow.js operations that give right results in place of the kernels of the current backend
 * that are known to give wrong ones (TensorFlow.js 4.22, `cpu` and `wasm`: batch normalization over another axis than
 * the last, 3-D windows with strides longer than they are; `wasm`: 3-D max pooling, 3-D transposed convolution).
 * `onCorrected` gets what is wrong, for each call of such a kernel. The engine is as before afterwards.
 */
export function correctKernels<Result>(
  compute: () => Result,
  onCorrected: (reason: string) => void = () => {},
): Result {
  const engine = tf.engine();
  const own = Object.getOwnPropertyDescriptor(engine, "runKernel");
  const runKernel = engine.runKernel.bind(engine);
  type Run = typeof runKernel;
  const corrected = (kernel: string, inputs: Parameters<Run>[1], attributes?: Parameters<Run>[2]): unknown => {
    const named = inputs as unknown as Inputs;
    const backend = tf.getBackend();
    const correction = corrections[kernel]?.find(
      ({ backends, isWrong }) => backends.includes(backend) && isWrong(named, attributes ?? {}),
    );
    if (correction === undefined) return runKernel(kernel, inputs, attributes);
    onCorrected(correction.reason);
    return tf.tidy(() => correction.compute(named, attributes ?? {}));
  };
  Object.defineProperty(engine, "runKernel", { configurable: true, writable: true, value: corrected });
  try {
    return compute();
  } finally {
    if (own === undefined) Reflect.deleteProperty(engine, "runKernel");
    else Object.defineProperty(engine, "runKernel", own);
  }
}
