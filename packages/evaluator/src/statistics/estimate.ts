import type { MetricEstimate } from "@ckpt/manifest";

import { jackknife, jackknifeBlockCount, jackknifeError } from "./jackknife.js";
import { normalRadius, studentRadius } from "./normal.js";
import { quantile } from "./quantile.js";
import { resample, type Statistic } from "./resample.js";
import { findUnits, type Sample, weightsOf } from "./units.js";
import { weightedMean } from "./weighted-mean.js";

const replicateCount = 1000;
/** Above this many units (rows, or groups) nothing is resampled: that would take seconds. */
export const bootstrapUnitLimit = 10_000;

/** A figure that an interval is wanted of. */
export interface Subject {
  readonly statistic: Statistic;
  /** The statistic of all rows with their own weights. */
  readonly value: number;
  /** Given when the statistic is their weighted mean `[rows]`: its error then has a closed form. */
  readonly rowValues?: Float64Array;
  readonly range: readonly [number, number];
}

/**
 * The intervals of figures of the same rows. Up to {@link bootstrapUnitLimit} units: the percentile bootstrap
 * (1,000 resamples) which for all but means is moved by its own estimate of the bias, so that a figure such as ECE,
 * which every resample exaggerates, stays inside its interval. Above: the value +- 1.96 standard errors (at 95 %) for a mean, and for
 * the others the grouped jackknife's error with 99 degrees of freedom. All are cut at the range and hold the value. `undefined` for a
 * figure that is not defined, or not on more than half of the resamples, and of less than two units.
 * Reference: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), sections 10.2 and 13.3.
 *
 * @param confidence - Coverage. Default: 0.95.
 */
export function estimateIntervals(
  subjects: readonly Subject[],
  sample: Sample,
  confidence = 0.95,
): readonly (MetricEstimate["interval"] | undefined)[] {
  const unitCount = findUnits(sample).count;
  if (unitCount < 2 || subjects.length === 0) return subjects.map(() => undefined);
  const bounds =
    unitCount <= bootstrapUnitLimit ? percentiles(subjects, sample, confidence) : normals(subjects, sample, confidence);
  return bounds.map((bound, index) => {
    const { value, range } = subjects[index] ?? { value: NaN, range: [-Infinity, Infinity] };
    if (bound === undefined || !bound.every(Number.isFinite)) return undefined;
    return [Math.max(range[0], Math.min(bound[0], value)), Math.min(range[1], Math.max(bound[1], value))];
  });
}

type Bounds = readonly [number, number] | undefined;

function percentiles(subjects: readonly Subject[], sample: Sample, confidence: number): readonly Bounds[] {
  const replicates = subjects.map(() => new Float64Array(replicateCount));
  resample(sample, { replicateCount }, (weights, replicate) => {
    for (const [index, found] of replicates.entries()) found[replicate] = subjects[index]?.statistic(weights) ?? NaN;
  });
  return replicates.map((found, index) => {
    const defined = found.filter(Number.isFinite).toSorted();
    if (defined.length < replicateCount / 2) return undefined;
    const bias = defined.reduce((sum, value) => sum + value, 0) / defined.length - (subjects[index]?.value ?? NaN);
    // Of a mean it would be noise; and rounding must give no interval to a figure that is the same on all resamples.
    const move = subjects[index]?.rowValues !== undefined || defined[0] === defined.at(-1) ? 0 : bias;
    const tail = (1 - confidence) / 2;
    return [quantile(defined, tail) - move, quantile(defined, 1 - tail) - move];
  });
}

function normals(subjects: readonly Subject[], sample: Sample, confidence: number): readonly Bounds[] {
  const others = subjects.filter(({ rowValues }) => rowValues === undefined);
  const left = new Map(
    jackknife(
      others.map(({ statistic }) => statistic),
      sample,
    ).map((found, at) => [others[at], found]),
  );
  return subjects.map((subject) => {
    const { value } = subject;
    const found = left.get(subject);
    const radius =
      subject.rowValues === undefined
        ? studentRadius(confidence, jackknifeBlockCount - 1) * (found === undefined ? NaN : jackknifeError(found))
        : normalRadius(confidence) * standardError(subject.rowValues, sample);
    return [value - radius, value + radius];
  });
}

/** Of a weighted mean, linearised; the errors of rows of one group are added before they are squared. */
function standardError(rowValues: Float64Array, sample: Sample): number {
  const weights = weightsOf(sample);
  const mean = weightedMean(rowValues, weights);
  const units = findUnits(sample);
  const errors = new Float64Array(units.count);
  let total = 0;
  for (let row = 0; row < sample.rowCount; row++) {
    const unit = units.ofRow === undefined ? row : (units.ofRow[row] ?? 0);
    const weight = weights[row] ?? 0;
    errors[unit] = (errors[unit] ?? 0) + weight * ((rowValues[row] ?? 0) - mean);
    total += weight;
  }
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  return Math.sqrt((squares * units.count) / (units.count - 1)) / total;
}
