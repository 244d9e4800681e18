import { tf } from "#tfjs";

import { transposeAxis } from "../ir/window-axis.js";

/** What a 3-D transposed convolution is besides its arguments. */
export interface TransposeConvolution3dOptions {
  /** `[batch, depth, height, width, channels]` of the result. */
  readonly outputShape: readonly number[];
  readonly strides: readonly [number, number, number];
  readonly padding: "SAME" | "VALID";
}

/**
 * The 3-D transposed convolution as a plain one: of the argument with zeros between its elements, by the reversed
 * filter. dy `[batch, depth, height, width, in]`, filter `[depth, height, width, out, in]`.
 */
export function transposeConvolution3d(
  dy: tf.Tensor,
  filter: tf.Tensor,
  { outputShape, strides, padding }: TransposeConvolution3dOptions,
): tf.Tensor {
  let x = dy;
  const around: [number, number][] = [[0, 0]];
  for (const [spatial, stride] of strides.entries()) {
    const axis = spatial + 1;
    const plan = transposeAxis(outputShape[axis] ?? 0, filter.shape[spatial] ?? 1, stride, padding);
    const between = tf.concat([x, ...Array.from({ length: stride - 1 }, () => tf.zerosLike(x))], axis + 1);
    const spread = x.shape.map((size, at) => (at === axis ? size * stride : size));
    const kept = spread.map((size, at) => (at === axis ? size + Math.min(plan.after, 0) : size));
    x = tf.slice(
      tf.reshape(between, spread),
      spread.map(() => 0),
      kept,
    );
    around.push([plan.before, Math.max(plan.after, 0)]);
  }
  const padded = tf.pad(x, [...around, [0, 0]]);
  const reversed = tf.transpose(tf.reverse(filter, [0, 1, 2]), [0, 1, 2, 4, 3]);
  return tf.conv3d(padded as tf.Tensor5D, reversed as tf.Tensor5D, 1, "valid");
}
