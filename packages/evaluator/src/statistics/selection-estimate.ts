import { compareMetric, type MetricMode } from "@ckpt/manifest";

import { quantile } from "./quantile.js";
import { createRandom } from "./random.js";
import { resample, resamplingSeed, type ResampleOptions, type Statistic } from "./resample.js";
import { findUnits, type Sample, spreadCounts, weightsOf } from "./units.js";

/** What the candidate picked as the best is really worth, since the best of many looks better than it is. */
export interface SelectionEstimate {
  /** The candidate picked on all rows. */
  readonly picked: number;
  /** Its figure on the rows it was picked by. */
  readonly selectionValue: number;
  /** The honest estimate. */
  readonly value: number;
  /** Of the coverage asked for. */
  readonly interval?: readonly [number, number];
}

/** How {@link estimateSelection} resamples, and how sure its interval is. */
export interface SelectionOptions extends Partial<ResampleOptions> {
  /** Coverage of the interval. Default: 0.95. */
  readonly confidence?: number;
}

/**
 * The bootstrap-bias-corrected estimate: on every resample the best candidate in the bag is scored on the rows outside,
 * and that is averaged. 500 replicates by default. Needs no rows of its own.
 * Reference: I. Tsamardinos, E. Greasidou and G. Borboudakis, Bootstrapping the out-of-sample predictions for efficient
 * and accurate cross-validation, Machine Learning 107 (2018).
 */
export function estimateSelection(
  candidates: readonly Statistic[],
  sample: Sample,
  mode: MetricMode,
  { replicateCount = 500, confidence = 0.95, ...options }: SelectionOptions = {},
): SelectionEstimate {
  const own = weightsOf(sample);
  const outside = new Float64Array(sample.rowCount);
  const scores: number[] = [];
  resample(sample, { replicateCount, ...options }, (weights) => {
    for (let row = 0; row < outside.length; row++) outside[row] = weights[row] === 0 ? (own[row] ?? 0) : 0;
    const score = candidates[pickBest(candidates, weights, mode)]?.(outside) ?? NaN;
    if (Number.isFinite(score)) scores.push(score);
  });
  const sorted = Float64Array.from(scores).toSorted();
  const picked = pickBest(candidates, own, mode);
  const tail = (1 - confidence) / 2;
  return {
    picked,
    selectionValue: candidates[picked]?.(own) ?? NaN,
    value: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    interval: [quantile(sorted, tail), quantile(sorted, 1 - tail)],
  };
}

/** Picks on one half of the units, at random, and scores on the other: without bias, but the pick has half the rows. */
export function estimateBySplit(
  candidates: readonly Statistic[],
  sample: Sample,
  mode: MetricMode,
  seed: number = resamplingSeed,
): SelectionEstimate {
  const random = createRandom(seed);
  const units = findUnits(sample);
  const isFirst = Float64Array.from({ length: units.count }, () => Number(random() < 0.5));
  const [first, second] = [new Float64Array(sample.rowCount), new Float64Array(sample.rowCount)];
  spreadCounts(sample, units, isFirst, first);
  spreadCounts(
    sample,
    units,
    isFirst.map((flag) => 1 - flag),
    second,
  );
  const picked = pickBest(candidates, first, mode);
  const statistic = candidates[picked];
  return { picked, selectionValue: statistic?.(first) ?? NaN, value: statistic?.(second) ?? NaN };
}

/** Of equal ones the first; one without a value is never the best. */
function pickBest(candidates: readonly Statistic[], weights: Float64Array, mode: MetricMode): number {
  const values = candidates.map((statistic) => statistic(weights));
  return values.reduce((best, value, index) => (compareMetric(value, values[best] ?? NaN, mode) < 0 ? index : best), 0);
}
