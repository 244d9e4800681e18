import { tf } from "#tfjs";

import { type Correction, takeInput } from "./correction.js";

// The kernels go round and round the elements of a parameter, which is right only for the last axes of x.
function isTrailing({ shape }: tf.Tensor, x: tf.Tensor): boolean {
  const start = shape.findIndex((size) => size !== 1);
  const own = start === -1 ? [] : shape.slice(start);
  return own.every((size, axis) => size === x.shape[x.rank - own.length + axis]);
}

/** Batch normalization over an axis other than the last (tfjs issue 1106). */
export const batchNormCorrection: Correction = {
  kernels: ["FusedBatchNorm"],
  backends: ["cpu", "wasm"],
  reason: "batch normalization over an axis other than the last applies the parameters to the wrong elements",
  isWrong: (inputs) =>
    ["mean", "variance", "scale", "offset"]
      .flatMap((slot) => inputs[slot] ?? [])
      .some((parameter) => !isTrailing(parameter, takeInput(inputs, "x"))),
  compute: (inputs, { varianceEpsilon }) => {
    const inverse = tf.rsqrt(tf.add(takeInput(inputs, "variance"), tf.scalar(varianceEpsilon as number)));
    const factor = inputs["scale"] === undefined ? inverse : tf.mul(inverse, inputs["scale"]);
    const scaled = tf.mul(tf.sub(takeInput(inputs, "x"), takeInput(inputs, "mean")), factor);
    return inputs["offset"] === undefined ? scaled : tf.add(scaled, inputs["offset"]);
  },
};
