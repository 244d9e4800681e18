import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { transposeConstant } from "./transpose-constant.js";

describe("transposeConstant", () => {
  it.each([
    [
      [2, 3, 4],
      [2, 0, 1],
    ],
    [
      [3, 1, 2, 5],
      [3, 2, 0, 1],
    ],
    [
      [1, 1, 4, 3],
      [3, 2, 0, 1],
    ],
    [
      [3, 0, 2],
      [1, 2, 0],
    ],
    [
      [1, 1],
      [1, 0],
    ],
    [[5], [0]],
    [[], []],
  ])("moves the axes of %j as %j", (shape, permutation) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const values = Int32Array.from({ length: size }, (_, index) => index);
    const transposed = transposeConstant({ dtype: "int32", shape, values }, permutation);
    const expected = tf.transpose(tf.tensor(values, shape, "int32"), permutation);
    expect(transposed).toEqual({ dtype: "int32", shape: expected.shape, values: expected.dataSync() });
  });
});
