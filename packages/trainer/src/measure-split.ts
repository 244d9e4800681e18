import type { Metrics, Split } from "@ckpt/manifest";

import { tf } from "#tfjs";

import type { BatchConverter } from "./batch-tensors.js";
import { createRowMeans } from "./row-mean.js";

/** Rows evaluated at once, whatever the training's batch size, so that the result does not depend on it. */
const blockRowCount = 256;

/**
 * Measures a compiled model with one output on a whole split, without training it: the loss without regularization, and
 * the metrics it was compiled with, each the mean over the rows of what TensorFlow.js computes for blocks of 256 rows.
 * So a metric is right here if it is a mean over rows, as losses and accuracies are; TensorFlow.js's `precision`,
 * `recall` and `r2Score` are not.
 */
export async function measureSplit(model: tf.LayersModel, split: Split, convert: BatchConverter): Promise<Metrics> {
  const means = createRowMeans(model.metricsNames);
  for (let start = 0; start < split.rowCount; start += blockRowCount) {
    const batch = await split.read(start, Math.min(start + blockRowCount, split.rowCount));
    const { inputs, labels } = convert(batch);
    const result = model.evaluate(inputs, labels, { batchSize: batch.rowCount });
    const scalars = Array.isArray(result) ? result : [result];
    means.add(await Promise.all(scalars.map(async (scalar) => (await scalar.data())[0] ?? Number.NaN)), batch.rowCount);
    tf.dispose([scalars, inputs, labels]);
  }
  return means.read();
}
