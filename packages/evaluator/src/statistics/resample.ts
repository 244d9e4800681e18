import { createRandom } from "./random.js";
import { findUnits, type Sample, spreadCounts } from "./units.js";

/** Fixed, so that equal predictions give equal figures, and all candidates are resampled alike. */
export const resamplingSeed = 20_240_501;

/** A figure of rows that count with these weights `[rows]`; NaN where it is not defined. */
export type Statistic = (weights: Float64Array) => number;

/** How often, and from which seed. */
export interface ResampleOptions {
  readonly replicateCount: number;
  /** Default: {@link resamplingSeed}. */
  readonly seed?: number;
}

/**
 * Draws as many units as the sample has, with replacement, and hands over the rows' weights: their own times how often
 * they were drawn. The array is the same one each time. The draws depend on the seed and the units alone.
 */
export function resample(
  sample: Sample,
  { replicateCount, seed = resamplingSeed }: ResampleOptions,
  onReplicate: (weights: Float64Array, replicate: number) => void,
): void {
  const random = createRandom(seed);
  const units = findUnits(sample);
  const counts = new Float64Array(units.count);
  const weights = new Float64Array(sample.rowCount);
  for (let replicate = 0; replicate < replicateCount; replicate++) {
    counts.fill(0);
    for (let draw = 0; draw < units.count; draw++) {
      const unit = Math.floor(random() * units.count);
      counts[unit] = (counts[unit] ?? 0) + 1;
    }
    spreadCounts(sample, units, counts, weights);
    onReplicate(weights, replicate);
  }
}

/** Every statistic on the same resamples: `[statistic][replicate]`. */
export function bootstrap(
  statistics: readonly Statistic[],
  sample: Sample,
  options: ResampleOptions,
): readonly Float64Array[] {
  const replicates = statistics.map(() => new Float64Array(options.replicateCount));
  resample(sample, options, (weights, replicate) => {
    for (const [index, values] of replicates.entries()) values[replicate] = statistics[index]?.(weights) ?? NaN;
  });
  return replicates;
}
