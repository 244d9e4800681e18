import { type AverageBatchNormOptions, hasBatchNorm } from "@ckpt/trainer";

import type { LoadedConfig } from "./load-config.js";
import type { Splits } from "./load-splits.js";

/** How the batch-norm statistics of an average are computed: with the run's own model, train split, batch size and seed. */
export function describeRecomputation(
  { config }: LoadedConfig,
  splits: Splits,
  signal: AbortSignal,
): AverageBatchNormOptions {
  const { model, train, seed = 0 } = config;
  return { model, split: splits.get("train"), batchSize: train.batchSize, seed, signal };
}

/**
 * The same where the run's model has batch normalisation: the mean of its statistics is not the statistics of the mean.
 *
 * @returns Nothing for another model.
 */
export async function findRecomputation(
  loaded: LoadedConfig,
  splits: Splits,
  signal: AbortSignal,
): Promise<{ readonly recompute?: AverageBatchNormOptions }> {
  const model = await loaded.config.model();
  const isNeeded = hasBatchNorm(model);
  model.dispose();
  return isNeeded ? { recompute: describeRecomputation(loaded, splits, signal) } : {};
}
