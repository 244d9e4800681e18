import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { loadBackend } from "./load-backend.js";

type Shape4D = [number, number, number, number];
type Padding = Parameters<typeof tf.conv2d>[3];
/** x `[batch, height, width, inChannels]`, filter `[height, width, outChannels]`, strides, padding. */
type Convolution = readonly [
  x: Shape4D,
  filter: readonly [number, number, number],
  strides: [number, number],
  pad: Padding,
];

const convolutions: readonly Convolution[] = [
  [[2, 28, 28, 1], [3, 3, 8], [1, 1], "valid"],
  [[2, 28, 28, 1], [3, 3, 8], [1, 1], "same"],
  [[2, 13, 13, 8], [3, 3, 16], [1, 1], "valid"],
  [[2, 9, 7, 3], [3, 2, 5], [2, 1], "same"],
  [[2, 9, 7, 3], [2, 3, 5], [1, 3], "valid"],
  [[2, 10, 11, 2], [3, 3, 4], [2, 2], "valid"],
  [[2, 8, 8, 2], [5, 4, 3], [2, 2], "same"],
  [[2, 7, 7, 4], [1, 1, 6], [1, 1], "valid"],
  [[2, 7, 6, 4], [1, 1, 6], [3, 2], "same"],
  [[2, 5, 5, 3], [5, 5, 7], [1, 1], "valid"],
  [[2, 5, 5, 3], [5, 5, 7], [1, 1], "same"],
  [[2, 2, 2, 3], [3, 3, 4], [1, 1], "same"],
  [[2, 6, 6, 3], [3, 3, 4], [1, 1], 2],
  [
    [2, 6, 7, 3],
    [3, 2, 4],
    [2, 2],
    [
      [0, 0],
      [0, 3],
      [2, 1],
      [0, 0],
    ],
  ],
  [[1, 6, 6, 1], [3, 3, 1], [1, 1], "same"],
  [[1, 8, 5, 1], [2, 2, 3], [3, 3], "valid"],
  [[1, 1, 1, 2], [1, 1, 2], [1, 1], "valid"],
  [[5, 1, 12, 2], [1, 4, 3], [1, 2], "same"],
];

/** Convolutions drawn from a fixed seed, so that a failure names a shape and comes back. */
function drawConvolutions(count: number, seed: number): Convolution[] {
  let state = seed;
  const draw = (from: number, to: number): number => {
    // Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return from + Math.floor((state / 2 ** 32) * (to - from + 1));
  };
  return Array.from({ length: count }, () => {
    const filter = [draw(1, 5), draw(1, 5), draw(1, 6)] as const;
    const x: Shape4D = [draw(1, 3), filter[0] + draw(0, 8), filter[1] + draw(0, 8), draw(1, 5)];
    const explicit: Padding = [
      [0, 0],
      [draw(0, 3), draw(0, 3)],
      [draw(0, 3), draw(0, 3)],
      [0, 0],
    ];
    const pads: readonly Padding[] = ["same", "valid", explicit];
    return [x, filter, [draw(1, 4), draw(1, 4)], pads[draw(0, 2)] ?? "same"];
  });
}

/** The filter's gradient of `sum(conv2d(x, filter) * weights)`, by tfjs' own gradient of conv2d. */
function filterGradient([xShape, [height, width, outChannels], strides, pad]: Convolution): Float32Array {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>(xShape, 0, 1, "float32", 1);
    const filter = tf.randomNormal<tf.Rank.R4>([height, width, xShape[3], outChannels], 0, 1, "float32", 2);
    const loss = (w: tf.Tensor): tf.Scalar => {
      const y = tf.conv2d(x, w as tf.Tensor4D, strides, pad);
      return y.mul(tf.randomNormal(y.shape, 0, 1, "float32", 3)).sum();
    };
    return tf.grad(loss)(filter).dataSync<"float32">();
  });
}

async function expectSameOnCpu(convolution: Convolution): Promise<void> {
  await loadBackend("wasm");
  const onWasm = filterGradient(convolution);
  await loadBackend("cpu");
  const onCpu = filterGradient(convolution);
  // All zeros where every window lies in the padding.
  const scale = Math.max(...onCpu.map(Math.abs), 1e-3);
  const difference = Math.max(...onCpu.map((value, index) => Math.abs(value - (onWasm[index] ?? Number.NaN))));
  expect(difference / scale).toBeLessThan(1e-4);
}

async function transposedFilterGradient(name: "wasm" | "cpu"): Promise<Float32Array> {
  await loadBackend(name);
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>([2, 5, 5, 3], 0, 1, "float32", 1);
    const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 4, 3], 0, 1, "float32", 2);
    const loss = (w: tf.Tensor): tf.Scalar =>
      tf
        .conv2dTranspose(x, w as tf.Tensor4D, [2, 10, 10, 4], 2, "same")
        .square()
        .sum();
    return tf.grad(loss)(filter).dataSync<"float32">();
  });
}

function runNchw(): unknown {
  const inputs = { x: tf.ones([1, 1, 4, 4]), dy: tf.ones([1, 2, 3, 3]) };
  const attrs = { strides: 1, pad: "valid", dataFormat: "NCHW", filterShape: [2, 2, 1, 2] };
  return tf.engine().runKernel(tf.Conv2DBackpropFilter, inputs, attrs);
}

describe("Conv2DBackpropFilter on the backend wasm", () => {
  beforeAll(async () => {
    await loadBackend("wasm");
    // Makes tfjs itself throw when a kernel leaves data behind on the backend.
    tf.env().set("IS_TEST", true);
  });
  afterAll(() => tf.env().set("IS_TEST", false));

  it("gives the sums of the products, window by window", async () => {
    await loadBackend("wasm");
    const gradient = tf.tidy(() => {
      const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
      const loss = (w: tf.Tensor): tf.Scalar => tf.conv2d(x, w as tf.Tensor4D, 1, "valid").sum();
      return tf
        .grad(loss)(tf.zeros([2, 2, 1, 1]))
        .dataSync();
    });
    expect([...gradient]).toEqual([12, 16, 24, 28]);
  });

  it.each(convolutions)("equals the cpu backend: x %j, filter %j, strides %j, pad %j", async (...convolution) => {
    await expectSameOnCpu(convolution);
  });

  it("equals the cpu backend on 60 drawn shapes", async () => {
    for (const convolution of drawConvolutions(60, 20)) {
      await expectSameOnCpu(convolution).catch((cause: unknown) => {
        throw new Error(`differs for ${JSON.stringify(convolution)}`, { cause });
      });
    }
  });

  it("also serves the gradient of a transposed convolution", async () => {
    const [onWasm, onCpu] = [await transposedFilterGradient("wasm"), await transposedFilterGradient("cpu")];
    onCpu.forEach((value, index) => expect(onWasm[index]).toBeCloseTo(value, 2));
  });

  it("leaves no data behind, even where a transpose shares its input's data", async () => {
    await loadBackend("wasm");
    const dataCount = tf.backend().numDataIds();
    for (const convolution of convolutions) {
      filterGradient(convolution);
    }
    expect(tf.backend().numDataIds()).toBe(dataCount);
  });

  it("refuses NCHW by name", async () => {
    await loadBackend("wasm");
    expect(runNchw).toThrow(expect.toSatisfy((error: unknown) => isCkptError(error, "INVALID_OPTION")));
    expect(runNchw).toThrow(/NHWC.*NCHW/u);
  });
});
