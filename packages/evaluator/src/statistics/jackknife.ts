import { createRandom } from "./random.js";
import { resamplingSeed, type Statistic } from "./resample.js";
import { findUnits, type Sample, spreadCounts } from "./units.js";

/** Blocks that large samples are cut into. */
export const jackknifeBlockCount = 100;

/**
 * Every statistic with one block of units left out, `[statistic][block]`: {@link jackknifeBlockCount} blocks of units at
 * random, or one block a unit where there are no more than that.
 * Reference: J. Shao and D. Tu, The Jackknife and Bootstrap (1995), section 2.3 (the grouped jackknife).
 */
export function jackknife(statistics: readonly Statistic[], sample: Sample): readonly Float64Array[] {
  const units = findUnits(sample);
  const blockCount = Math.min(units.count, jackknifeBlockCount);
  const blockOf = assignBlocks(units.count, blockCount);
  const counts = new Float64Array(units.count);
  const weights = new Float64Array(sample.rowCount);
  const values = statistics.map(() => new Float64Array(blockCount));
  for (let block = 0; block < blockCount; block++) {
    for (let unit = 0; unit < units.count; unit++) counts[unit] = blockOf[unit] === block ? 0 : 1;
    spreadCounts(sample, units, counts, weights);
    for (const [index, left] of values.entries()) left[block] = statistics[index]?.(weights) ?? NaN;
  }
  return values;
}

/** Standard error from the figures of {@link jackknife}. */
export function jackknifeError(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt((squares * (values.length - 1)) / values.length);
}

/** Blocks of equal size, at random so that sorted rows do no harm. */
export function assignBlocks(unitCount: number, blockCount: number): Uint32Array {
  const blockOf = Uint32Array.from({ length: unitCount }, (_, unit) => unit % blockCount);
  if (blockCount === unitCount) return blockOf;
  const random = createRandom(resamplingSeed);
  for (let last = unitCount - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const held = blockOf[last] ?? 0;
    blockOf[last] = blockOf[other] ?? 0;
    blockOf[other] = held;
  }
  return blockOf;
}
