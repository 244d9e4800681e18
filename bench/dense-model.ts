import * as tf from "@tensorflow/tfjs";

/** 0.24 million parameters. */
export const smallWidths: readonly number[] = [784, 256, 128, 10];

/** 25 million parameters. */
export const largeWidths: readonly number[] = [784, 4096, 4096, 1220, 10];

/** A multilayer perceptron with the given widths, inputs first, compiled with Adam. */
export function createDenseModel([inputs, ...widths]: readonly number[]): tf.Sequential {
  const model = tf.sequential({
    layers: widths.map((units, index) =>
      tf.layers.dense({
        units,
        activation: index === widths.length - 1 ? "softmax" : "relu",
        ...(index === 0 && inputs !== undefined ? { inputShape: [inputs] } : {}),
      }),
    ),
  });
  model.compile({ optimizer: tf.train.adam(), loss: "categoricalCrossentropy" });
  return model;
}

/** One update of the model on random rows, after which Adam has its slots. */
export async function trainOnce(model: tf.Sequential, batchSize = 8): Promise<void> {
  const [inputs, outputs] = [model.inputs, model.outputs].map(([tensor]) => tensor?.shape[1] ?? 0) as [number, number];
  const x = tf.randomUniform([batchSize, inputs]);
  const y = tf.oneHot(tf.range(0, batchSize, 1, "int32"), outputs);
  await model.trainOnBatch(x, y);
  tf.dispose([x, y]);
}

/** Bytes of the weights and of Adam's two slots for each of them. */
export function countStateBytes(model: tf.Sequential): number {
  return 3 * Float32Array.BYTES_PER_ELEMENT * model.countParams();
}
