import { createRandom } from "./random.js";
import { resamplingSeed, type ResampleOptions } from "./resample.js";
import { findUnits, type Sample, weightsOf } from "./units.js";

/**
 * Two-sided p-value of the mean of differences `[rows]` being 0: how often it is as large when every row's sign (or
 * every group's) is thrown anew, (1 + hits) / (1 + replicates). 2,000 replicates by default.
 */
export function signFlipTest(
  differences: Float64Array,
  sample: Sample,
  { replicateCount = 2000, seed = resamplingSeed }: Partial<ResampleOptions> = {},
): number {
  const units = findUnits(sample);
  const weights = weightsOf(sample);
  const sums = new Float64Array(units.count);
  for (const [row, difference] of differences.entries()) {
    const unit = units.ofRow === undefined ? row : (units.ofRow[row] ?? 0);
    sums[unit] = (sums[unit] ?? 0) + (weights[row] ?? 0) * difference;
  }
  // A row without a difference is as it is, whichever its sign.
  const throwable = sums.filter((sum) => sum !== 0);
  const scale = throwable.reduce((sum, value) => sum + Math.abs(value), 0);
  // Sums in another order may differ in the last digits and are equal all the same.
  const found = Math.abs(throwable.reduce((sum, value) => sum + value, 0)) - 1e-12 * scale;
  const random = createRandom(seed);
  let hits = 0;
  for (let replicate = 0; replicate < replicateCount; replicate++) {
    let sum = 0;
    let bits = 0;
    for (let unit = 0; unit < throwable.length; unit++) {
      if (unit % 32 === 0) bits = Math.floor(random() * 2 ** 32) | 0;
      sum += (bits & 1) === 1 ? (throwable[unit] ?? 0) : -(throwable[unit] ?? 0);
      bits >>>= 1;
    }
    if (Math.abs(sum) >= found) hits += 1;
  }
  return (1 + hits) / (1 + replicateCount);
}
