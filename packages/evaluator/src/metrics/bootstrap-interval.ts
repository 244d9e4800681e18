import { createRandom } from "./random.js";
import { normalQuantile } from "./wilson-interval.js";

/** Resamples per interval. */
const resampleCount = 1000;
/** Fixed, so that equal predictions give equal intervals, and candidates are resampled alike. */
const bootstrapSeed = 20_240_501;
/** From this many rows on the normal interval is the same to three digits, and resampling would take seconds. */
export const bootstrapRowLimit = 10_000;

/**
 * The 95 % interval of a mean of values per row: the percentile bootstrap over rows, or for more than
 * {@link bootstrapRowLimit} rows the normal interval, mean +- 1.96 standard errors.
 * Reference: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
 */
export function bootstrapInterval(values: Float64Array): readonly [number, number] {
  return values.length > bootstrapRowLimit ? normalInterval(values) : percentileInterval(values);
}

function percentileInterval(values: Float64Array): readonly [number, number] {
  const random = createRandom(bootstrapSeed);
  const rowCount = values.length;
  const means = new Float64Array(resampleCount);
  for (let resample = 0; resample < resampleCount; resample++) {
    let sum = 0;
    for (let draw = 0; draw < rowCount; draw++) sum += values[Math.floor(random() * rowCount)] ?? 0;
    means[resample] = sum / rowCount;
  }
  means.sort();
  return [quantile(means, 0.025), quantile(means, 0.975)];
}

/** Between two sorted values by linear interpolation, as NumPy's default. */
function quantile(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const index = Math.floor(position);
  const below = sorted[index] ?? 0;
  const above = sorted[Math.min(index + 1, sorted.length - 1)] ?? 0;
  return below + (position - index) * (above - below);
}

function normalInterval(values: Float64Array): readonly [number, number] {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const radius = normalQuantile * Math.sqrt(squares / (values.length - 1) / values.length);
  return [mean - radius, mean + radius];
}
