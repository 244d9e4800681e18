import { describe, expect, it } from "vitest";

import { goldens } from "../../test/golden-cases.js";
import { bootstrapUnitLimit, estimateIntervals } from "./estimate.js";
import { createRandom } from "./random.js";
import type { Statistic } from "./resample.js";
import type { Sample } from "./units.js";
import { weightedMean } from "./weighted-mean.js";

type Interval = readonly [number, number];

function intervalOfMean(rowValues: Float64Array, sample?: Partial<Sample>): Interval {
  const rowCount = rowValues.length;
  const statistic: Statistic = (weights) => weightedMean(rowValues, weights);
  const value = statistic(sample?.weights ?? new Float64Array(rowCount).fill(1));
  const subject = { statistic, value, rowValues, range: [-Infinity, Infinity] as const };
  return estimateIntervals([subject], { rowCount, ...sample })[0] ?? [NaN, NaN];
}

/** As if the statistic were not known to be a mean. */
function jackknifeOfMean(rowValues: Float64Array): Interval {
  const rowCount = rowValues.length;
  const statistic: Statistic = (weights) => weightedMean(rowValues, weights);
  const value = statistic(new Float64Array(rowCount).fill(1));
  return estimateIntervals([{ statistic, value, range: [-Infinity, Infinity] }], { rowCount })[0] ?? [NaN, NaN];
}

function exponentials(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => -Math.log(1 - random()));
}

describe("estimateIntervals", () => {
  it("is near SciPy's percentile interval of 100,000 resamples", () => {
    const { values, interval } = goldens.bootstrap;
    const width = interval[1] - interval[0];
    const [low, high] = intervalOfMean(Float64Array.from(values));
    // Three times the standard error of a percentile of 1,000 resamples.
    expect(Math.abs(low - interval[0]) / width).toBeLessThan(0.066);
    expect(Math.abs(high - interval[1]) / width).toBeLessThan(0.066);
  });

  it("is a point when all rows are equal, and nothing of one row", () => {
    expect(intervalOfMean(new Float64Array(10).fill(2))).toEqual([2, 2]);
    expect(intervalOfMean(Float64Array.of(2))).toEqual([NaN, NaN]);
  });

  it("goes over to the normal interval without a step", () => {
    const values = exponentials(bootstrapUnitLimit + 1, 3);
    const [normalLow, normalHigh] = intervalOfMean(values);
    const [low, high] = intervalOfMean(values.subarray(0, bootstrapUnitLimit));
    const width = normalHigh - normalLow;
    // Exponential values have mean and deviation 1: 2 x 1.96 / sqrt(10,001).
    expect(Math.abs(width - 0.0392)).toBeLessThan(0.001);
    expect(Math.abs(low - normalLow) / width).toBeLessThan(0.04);
    expect(Math.abs(high - normalHigh) / width).toBeLessThan(0.04);
  });

  it("has the jackknife for what is no mean", () => {
    const values = exponentials(bootstrapUnitLimit + 1, 4);
    const [low, high] = jackknifeOfMean(values);
    const [normalLow, normalHigh] = intervalOfMean(values);
    expect(low + high).toBeCloseTo(normalLow + normalHigh, 9);
    expect((high - low) / (normalHigh - normalLow)).toBeGreaterThan(0.8);
    expect((high - low) / (normalHigh - normalLow)).toBeLessThan(1.2);
  });

  it("covers the mean in about 95 of 100 samples", () => {
    const random = createRandom(5);
    let covered = 0;
    for (let sample = 0; sample < 200; sample++) {
      const [low, high] = intervalOfMean(Float64Array.from({ length: 100 }, random));
      if (low <= 0.5 && 0.5 <= high) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.9);
    expect(covered / 200).toBeLessThan(0.985);
  });

  it("is wider by the root of the group's size when rows of a group are alike, above the limit too", () => {
    for (const groupCount of [400, bootstrapUnitLimit + 1]) {
      const single = exponentials(groupCount, 6);
      const values = Float64Array.from({ length: groupCount * 4 }, (_, row) => single[row % groupCount] ?? 0);
      const groups = Int32Array.from(values, (_, row) => row % groupCount);
      const [low, high] = intervalOfMean(values, { groups });
      const [singleLow, singleHigh] = intervalOfMean(single);
      expect((high - low) / (singleHigh - singleLow)).toBeGreaterThan(0.95);
      expect((high - low) / (singleHigh - singleLow)).toBeLessThan(1.05);
    }
  });
});
