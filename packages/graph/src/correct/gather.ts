import { tf } from "#tfjs";

import { type Correction, takeInput } from "./correction.js";

/** Gathering in each example by its own indices, of which the wasm kernel reads the wrong ones. */
export const gatherCorrection: Correction = {
  kernels: ["GatherV2"],
  backends: ["wasm"],
  reason: "gathering by example takes the indices of other examples",
  isWrong: (inputs, { axis, batchDims }) => axis === 1 && batchDims === 1 && takeInput(inputs, "indices").rank > 1,
  compute: (inputs) => {
    const [x, indices] = [takeInput(inputs, "x"), takeInput(inputs, "indices")];
    const [batch = 0, count = 0, ...rest] = x.shape;
    const offset = tf.mul(tf.range(0, batch, 1, "int32"), tf.scalar(count, "int32"));
    const rows = tf.add(indices, tf.reshape(offset, [batch, ...indices.shape.slice(1).map(() => 1)]));
    return tf.gather(tf.reshape(x, [batch * count, ...rest]), rows);
  },
};
