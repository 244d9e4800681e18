import { tf } from "#tfjs";

import { type Correction, takeInput } from "./correction.js";

/** One hot in float32, for which the wasm kernel writes integers. */
export const oneHotCorrection: Correction = {
  kernels: ["OneHot"],
  backends: ["wasm"],
  reason: "one hot in float32 has the bits of integers",
  isWrong: (_, { dtype }) => dtype === "float32",
  compute: (inputs, { depth, onValue, offValue }) => {
    const isHot = tf.cast(tf.oneHot(takeInput(inputs, "indices"), depth as number), "bool");
    return tf.where(isHot, tf.scalar(onValue as number), tf.scalar(offValue as number));
  },
};
