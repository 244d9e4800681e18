import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { correctKernels } from "./correct-kernels.js";

beforeAll(async () => {
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
});

afterAll(async () => {
  await tf.setBackend("cpu");
});

function wave(...shape: number[]): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, index) => Math.sin(1.7 * index + 0.3));
  return tf.tensor(values, shape);
}

type Size = [number, number, number];

/** What each window of `same` padding covers, one after the other, by the formula of TensorFlow. */
function windows(size: number, span: number, stride: number): readonly (readonly number[])[] {
  const count = Math.ceil(size / stride);
  const before = Math.floor(Math.max((count - 1) * stride + span - size, 0) / 2);
  return Array.from({ length: count }, (_, index) =>
    Array.from({ length: span }, (__, at) => index * stride - before + at).filter((at) => at >= 0 && at < size),
  );
}

/** The largest of every window, element by element. */
function maxOfWindows(x: tf.Tensor, spans: Size, strides: Size): number[] {
  const [depth = 0, height = 0, width = 0] = x.shape.slice(1, 4);
  const values = x.arraySync() as number[][][][][];
  const axes = [depth, height, width].map((size, axis) => windows(size, spans[axis]!, strides[axis]!));
  return axes[0]!.flatMap((layers) =>
    axes[1]!.flatMap((rows) =>
      axes[2]!.map((columns) =>
        Math.max(...layers.flatMap((d) => rows.flatMap((h) => columns.map((w) => values[0]![d]![h]![w]![0]!)))),
      ),
    ),
  );
}

function difference(found: tf.Tensor, expected: ArrayLike<number>): number {
  const values = found.dataSync();
  expect(values.length).toBe(expected.length);
  return Math.max(...Array.from(values, (value, index) => Math.abs(value - expected[index]!)));
}

/** Right with the corrections, wrong without, and the other backend agrees. */
async function expectCorrected(compute: () => tf.Tensor, reason: string, expected?: ArrayLike<number>): Promise<void> {
  const reasons: string[] = [];
  const right = correctKernels(compute, (each) => reasons.push(each));
  await tf.setBackend("cpu");
  const truth = expected ?? correctKernels(compute).dataSync();
  await tf.setBackend("wasm");
  expect(difference(right, truth)).toBeLessThan(1e-5);
  expect(difference(compute(), truth)).toBeGreaterThan(1e-2);
  expect(reasons.join()).toContain(reason);
}

describe("with the kernels corrected, wasm gives", () => {
  it.each<[Size, Size]>([
    [
      [2, 2, 2],
      [1, 2, 3],
    ],
    [
      [3, 2, 3],
      [2, 2, 2],
    ],
  ])("the largest of a window of negative numbers %j, strides %j", async (spans, strides) => {
    const x = tf.sub<tf.Tensor5D>(wave(1, 5, 4, 6, 1), 2);
    const compute = (): tf.Tensor => tf.maxPool3d(x, spans, strides, "same");
    await expectCorrected(compute, "3-D max pooling", maxOfWindows(x, spans, strides));
  });

  it.each<[number[], Size, "same" | "valid"]>([
    [[1, 6, 4, 8, 2], [2, 1, 2], "same"],
    [[1, 5, 4, 8, 2], [2, 1, 2], "same"],
    [[1, 9, 4, 12, 2], [3, 1, 4], "same"],
    [[1, 4, 6, 5, 2], [1, 1, 1], "valid"],
  ])("the transposed convolution of %j, strides %j, %s", async (shape, strides, pad) => {
    const filter = wave(2, 3, 2, 2, 3) as tf.Tensor5D;
    const size = shape
      .slice(1, 4)
      .map((whole, axis) =>
        pad === "same"
          ? Math.ceil(whole / strides[axis]!)
          : Math.ceil((whole - filter.shape[axis]! + 1) / strides[axis]!),
      );
    const x = wave(1, ...size, 3) as tf.Tensor5D;
    const compute = (): tf.Tensor => tf.conv3dTranspose(x, filter, shape as tf.Tensor5D["shape"], strides, pad);
    await expectCorrected(compute, "3-D transposed convolution");
  });

  it("a convolution whose strides leave elements out", async () => {
    const x = wave(2, 9, 6, 3) as tf.Tensor4D;
    const filter = wave(2, 2, 3, 4) as tf.Tensor4D;
    await expectCorrected(() => tf.conv2d(x, filter, 3, "same"), "shifted");
    await expectCorrected(() => tf.depthwiseConv2d(x, filter, 3, "same"), "shifted");
  });

  it("a convolution with channels first", async () => {
    const x = wave(2, 3, 5, 6) as tf.Tensor4D;
    const compute = (): tf.Tensor => tf.conv2d(x, wave(3, 2, 3, 4) as tf.Tensor4D, [1, 2], "same", "NCHW");
    expect(compute).toThrow("channelsFirst");
    const found = correctKernels(compute);
    await tf.setBackend("cpu");
    const expected = compute().dataSync();
    await tf.setBackend("wasm");
    expect(difference(found, expected)).toBeLessThan(1e-5);
  });

  it("batch normalization over the channels of channels-first images", async () => {
    const x = wave(2, 3, 4, 5) as tf.Tensor4D;
    const [mean, variance, scale] = [1, 2, 3].map((seed) => tf.add<tf.Tensor4D>(wave(1, 3, 1, 1), seed));
    const expected = tf.add(tf.mul(tf.div(tf.sub(x, mean!), tf.sqrt(tf.add(variance!, 0.01))), scale!), 0).dataSync();
    const compute = (): tf.Tensor => tf.batchNorm4d(x, mean!, variance!, undefined, scale, 0.01);
    await expectCorrected(compute, "batch normalization", expected);
  });

  it("what each example's own indices point to", async () => {
    const x = wave(3, 4, 2);
    const indices = tf.tensor2d([3, 1, 0, 2, 2, 1], [3, 2], "int32");
    await expectCorrected(() => tf.gather(x, indices, 1, 1), "gathering by example");
  });

  it("one hot in float32", async () => {
    const indices = tf.tensor1d([2, 0], "int32");
    await expectCorrected(() => tf.oneHot(indices, 3, 1, 0, "float32"), "one hot", [0, 0, 1, 1, 0, 0]);
  });
});

describe("correctKernels", () => {
  it("leaves right kernels, the engine and the number of tensors alone", () => {
    const own = Object.getOwnPropertyDescriptor(tf.engine(), "runKernel");
    const x = wave(1, 4, 4, 2) as tf.Tensor4D;
    const tensorCount = tf.memory().numTensors;
    const reasons: string[] = [];
    correctKernels(
      () => tf.maxPool(x, 2, 2, "same"),
      (reason) => reasons.push(reason),
    ).dispose();
    expect(reasons).toEqual([]);
    expect(tf.memory().numTensors).toBe(tensorCount);
    expect(() =>
      correctKernels(() => {
        throw new Error("within");
      }),
    ).toThrow("within");
    expect(Object.getOwnPropertyDescriptor(tf.engine(), "runKernel")).toEqual(own);
  });
});
