import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { bootstrapInterval, bootstrapRowLimit } from "./bootstrap-interval.js";
import { createRandom } from "./random.js";

const goldens = JSON.parse(await readFile(new URL("../../test/goldens/metrics.json", import.meta.url), "utf8")) as {
  bootstrap: { values: number[]; interval: [number, number] };
};

describe("bootstrapInterval", () => {
  it("is near SciPy's percentile interval of 100,000 resamples", () => {
    const { values, interval } = goldens.bootstrap;
    const width = interval[1] - interval[0];
    const [low, high] = bootstrapInterval(Float64Array.from(values));
    expect(Math.abs(low - interval[0]) / width).toBeLessThan(0.04);
    expect(Math.abs(high - interval[1]) / width).toBeLessThan(0.04);
  });

  it("is a point when all rows are equal", () => {
    expect(bootstrapInterval(new Float64Array(10).fill(2))).toEqual([2, 2]);
  });

  it("goes over to the normal interval without a step", () => {
    const random = createRandom(3);
    const values = Float64Array.from({ length: bootstrapRowLimit + 1 }, () => -Math.log(1 - random()));
    const [normalLow, normalHigh] = bootstrapInterval(values);
    const [low, high] = bootstrapInterval(values.subarray(0, bootstrapRowLimit));
    const width = normalHigh - normalLow;
    // Exponential values have mean and deviation 1: 2 x 1.96 / sqrt(10,001).
    expect(Math.abs(width - 0.0392)).toBeLessThan(0.001);
    expect(Math.abs(low - normalLow) / width).toBeLessThan(0.04);
    expect(Math.abs(high - normalHigh) / width).toBeLessThan(0.04);
  });

  it("covers the mean in about 95 of 100 samples", () => {
    const random = createRandom(5);
    let covered = 0;
    for (let sample = 0; sample < 200; sample++) {
      const [low, high] = bootstrapInterval(Float64Array.from({ length: 100 }, random));
      if (low <= 0.5 && 0.5 <= high) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.9);
    expect(covered / 200).toBeLessThan(0.985);
  });
});
