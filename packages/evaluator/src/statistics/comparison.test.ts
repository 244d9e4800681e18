import { describe, expect, it } from "vitest";

import { goldens } from "../../test/golden-cases.js";
import { createNormal, meanOf, simulateLosses } from "../../test/simulate-candidates.js";
import { resampleCandidates, resampleMeans } from "./candidate-replicates.js";
import { mcnemar } from "./mcnemar.js";
import { findConfidenceSet } from "./model-confidence-set.js";
import { normalCdf, normalQuantile } from "./normal.js";
import { comparePaired } from "./paired-difference.js";
import type { Statistic } from "./resample.js";
import { countRowsToDecide } from "./rows-to-decide.js";
import { estimateBySplit, estimateSelection } from "./selection-estimate.js";
import { signFlipTest } from "./sign-flip.js";
import { weightedMean } from "./weighted-mean.js";
import { wilsonInterval } from "./wilson-interval.js";

const asStatistics = (losses: readonly Float64Array[]): readonly Statistic[] =>
  losses.map((own) => (weights) => weightedMean(own, weights));

/** The mean of a lognormal number. */
const holdsMean = ([low, high]: readonly [number, number]): boolean => low <= Math.exp(0.5) && Math.exp(0.5) <= high;

describe("normalCdf", () => {
  it("is SciPy's, and has its quantile", () => {
    for (const [z, probability] of goldens.normal) {
      expect(Math.abs(normalCdf(z) - probability)).toBeLessThan(1e-14);
      if (z < -5) expect(Math.abs(normalCdf(z) / probability - 1)).toBeLessThan(1e-12);
      if (Math.abs(z) < 6) expect(normalQuantile(probability)).toBeCloseTo(z, 9);
    }
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
  });
});

describe("mcnemar", () => {
  it.each(goldens.mcnemar)("is SciPy's exact test: $b and $c", ({ b, c, exact, mid }) => {
    const found = mcnemar(b, c);
    expect(found.exact).toBeCloseTo(exact, 10);
    expect(found.midP).toBeCloseTo(mid, 10);
    expect(mcnemar(c, b)).toEqual(found);
  });
});

describe("signFlipTest", () => {
  it("is near the share of all ways to throw the signs", () => {
    const differences = [0.5, -0.2, 0.9, 0.4, 0.1, 0.7, -0.3, 0.6, 0, 0.2];
    const found = Math.abs(differences.reduce((sum, value) => sum + value, 0));
    let hits = 0;
    for (let signs = 0; signs < 2 ** differences.length; signs++) {
      const sum = differences.reduce((total, value, index) => total + ((signs >> index) & 1 ? value : -value), 0);
      hits += Number(Math.abs(sum) >= found - 1e-9);
    }
    const exact = hits / 2 ** differences.length;
    const p = signFlipTest(Float64Array.from(differences), { rowCount: 10 }, { replicateCount: 20_000 });
    expect(Math.abs(p - exact)).toBeLessThan(0.006);
  });

  it("is 1 without a difference, and counts a group once", () => {
    expect(signFlipTest(new Float64Array(8), { rowCount: 8 })).toBe(1);
    const alike = new Float64Array(40).fill(1);
    expect(signFlipTest(alike, { rowCount: 40 })).toBeLessThan(0.001);
    const groups = Int32Array.from(alike, (_, row) => row % 2);
    // Two groups agree by chance half of the time.
    expect(Math.abs(signFlipTest(alike, { rowCount: 40, groups }) - 0.5)).toBeLessThan(0.05);
  });
});

describe("comparePaired", () => {
  it("resamples means and any figure alike", () => {
    const losses = simulateLosses([0.9, 0.85, 0.8, 0.88, 0.83], 300, 1);
    const means = resampleMeans(losses, { rowCount: 300 }, { replicateCount: 200 });
    const any = resampleCandidates(asStatistics(losses), { rowCount: 300 }, { replicateCount: 200 });
    for (const [candidate, replicates] of means.replicates.entries()) {
      expect(replicates.every((value, at) => Math.abs(value - (any.replicates[candidate]?.[at] ?? NaN)) < 1e-12)).toBe(
        true,
      );
    }
    expect(means.values).toEqual(any.values);
    expect(means.leftOut).toEqual(any.leftOut);
  });

  it("takes rows that are hard for both out of the difference", () => {
    const losses = simulateLosses([0.9, 0.88], 2000, 2, 0.98);
    const paired = comparePaired(resampleMeans(losses, { rowCount: 2000 }), 0, 1);
    expect(paired.value).toBeCloseTo(meanOf(losses[0] ?? []) - meanOf(losses[1] ?? []), 12);
    const width = paired.percentile[1] - paired.percentile[0];
    const differences = Float64Array.from(losses[0] ?? [], (loss, row) => loss - (losses[1]?.[row] ?? NaN));
    const error = Math.sqrt(meanOf(differences.map((value) => (value - paired.value) ** 2)) / 2000);
    expect(Math.abs(width / (2 * 1.96 * error) - 1)).toBeLessThan(0.08);
    // Two samples by themselves would give 0.038.
    expect(width).toBeLessThan(0.02);
  });

  it("covers a skewed difference about as often as it says, BCa nearer than the percentiles", () => {
    const normal = createNormal(3);
    const trials = 400;
    let [bca, percentile] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      // Lognormal: mean e^0.5, and far from symmetrical.
      const losses = [Float64Array.from({ length: 40 }, () => Math.exp(normal())), new Float64Array(40)];
      const found = comparePaired(resampleMeans(losses, { rowCount: 40 }, { replicateCount: 600, seed: trial }), 0, 1);
      bca += Number(holdsMean(found.bca)) / trials;
      percentile += Number(holdsMean(found.percentile)) / trials;
    }
    expect(bca).toBeGreaterThan(percentile + 0.01);
    expect(bca).toBeGreaterThan(0.87);
    expect(bca).toBeLessThan(0.97);
  });

  it("is a point for equal candidates", () => {
    const [losses = new Float64Array()] = simulateLosses([0.9], 100, 4);
    const found = comparePaired(resampleMeans([losses, losses], { rowCount: 100 }), 0, 1);
    expect(found).toEqual({ value: 0, percentile: [0, 0], bca: [0, 0] });
  });
});

describe("findConfidenceSet", () => {
  it("holds the best of six in at least 90 of 100 samples, and not all of them", () => {
    const accuracies = [0.9, 0.895, 0.89, 0.86, 0.84, 0.8];
    let [held, size] = [0, 0];
    for (let seed = 1; seed <= 100; seed++) {
      const losses = simulateLosses(accuracies, 500, seed);
      const { isMember } = findConfidenceSet(resampleMeans(losses, { rowCount: 500 }, { replicateCount: 300 }), {
        mode: "min",
      });
      held += Number(isMember[0]);
      size += isMember.filter(Boolean).length / 100;
    }
    expect(held).toBeGreaterThanOrEqual(90);
    expect(size).toBeGreaterThan(2);
    expect(size).toBeLessThan(4.2);
  });

  it("keeps all of equally good ones in about 90 of 100 samples", () => {
    let whole = 0;
    for (let seed = 1; seed <= 600; seed++) {
      const losses = simulateLosses([0.8, 0.8, 0.8, 0.8], 200, seed, 0.3);
      const resampled = resampleMeans(losses, { rowCount: 200 }, { replicateCount: 250, seed });
      whole += Number(findConfidenceSet(resampled, { mode: "min" }).isMember.every(Boolean)) / 600;
    }
    expect(whole).toBeGreaterThan(0.865);
    expect(whole).toBeLessThan(0.93);
  });

  it("always holds the one with the best figure, in both directions", () => {
    const losses = simulateLosses([0.9, 0.5, 0.7], 400, 5);
    const found = resampleMeans(losses, { rowCount: 400 });
    expect(findConfidenceSet(found, { mode: "min" }).isMember).toEqual([true, false, false]);
    expect(findConfidenceSet(found, { mode: "max" }).isMember).toEqual([false, true, false]);
    expect(findConfidenceSet(found, { mode: "min" }).pValues[0]).toBe(1);
  });

  it("cannot tell equal candidates apart, and has one of one", () => {
    const [losses = new Float64Array()] = simulateLosses([0.9], 100, 6);
    const equal = resampleMeans([losses, losses, losses], { rowCount: 100 });
    expect(findConfidenceSet(equal, { mode: "min" }).isMember).toEqual([true, true, true]);
    const single = resampleMeans([losses], { rowCount: 100 });
    expect(findConfidenceSet(single, { mode: "min" })).toEqual({ isMember: [true], pValues: [1] });
  });

  it("leaves out resamples without a value", () => {
    const losses = simulateLosses([0.9, 0.6], 200, 7);
    const found = resampleMeans(losses, { rowCount: 200 });
    found.replicates[0]?.fill(NaN, 0, 900);
    expect(findConfidenceSet(found, { mode: "min" }).isMember).toEqual([true, false]);
  });
});

describe("the figure of a pick", () => {
  it("is too good on the rows it was picked by, and within 0.2 points of the truth by BBC and by halves", () => {
    const accuracies = Array.from({ length: 20 }, (_, index) => 0.9 - 0.0005 * index);
    const trials = 150;
    let [naive, corrected, halves] = [0, 0, 0];
    for (let seed = 1; seed <= trials; seed++) {
      const candidates = asStatistics(simulateLosses(accuracies, 1000, seed, 0.6));
      const sample = { rowCount: 1000 };
      const found = estimateSelection(candidates, sample, "min", { replicateCount: 40, seed });
      const truth = 1 - (accuracies[found.picked] ?? NaN);
      naive += (found.selectionValue - truth) / trials;
      corrected += (found.value - truth) / trials;
      const split = estimateBySplit(candidates, sample, "min", seed);
      halves += (split.value - (1 - (accuracies[split.picked] ?? NaN))) / trials;
    }
    // Losses: too low is too good.
    expect(naive).toBeLessThan(-0.005);
    expect(Math.abs(corrected)).toBeLessThan(0.002);
    expect(Math.abs(halves)).toBeLessThan(0.002);
  });

  it("has an interval around it, and picks by direction", () => {
    const candidates = asStatistics(simulateLosses([0.9, 0.7], 300, 8));
    const best = estimateSelection(candidates, { rowCount: 300 }, "min");
    const worst = estimateSelection(candidates, { rowCount: 300 }, "max");
    expect([best.picked, worst.picked]).toEqual([0, 1]);
    expect(best.interval?.[0]).toBeLessThan(best.value);
    expect(best.interval?.[1]).toBeGreaterThan(best.value);
    expect(best.value).toBeCloseTo(best.selectionValue, 2);
  });
});

describe("countRowsToDecide", () => {
  it("decides as often as its power says", () => {
    const interval = wilsonInterval(1948, 2000);
    const rowCount = 2000 + countRowsToDecide({ value: 0.974, interval, rowCount: 2000, threshold: 0.97 });
    let decided = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const [losses = new Float64Array()] = simulateLosses([0.974], rowCount, seed);
      const right = rowCount - losses.reduce((sum, loss) => sum + loss, 0);
      decided += Number(wilsonInterval(right, rowCount)[0] > 0.97);
    }
    expect(decided / 200).toBeGreaterThan(0.72);
    expect(decided / 200).toBeLessThan(0.9);
  });

  it("is the same of an interval of another coverage with as much more power", () => {
    const figure = { value: 0.9, rowCount: 1000, threshold: 0.89 };
    // Radii are 1.96 and 2.576 deviations, the threshold has to be 2.802 and 3.417 away: 7.85 and 11.68 times the rows.
    const at = (radius: number, confidence?: number): number =>
      countRowsToDecide({
        ...figure,
        interval: [0.9 - radius, 0.9 + radius],
        ...(confidence === undefined ? {} : { confidence }),
      });
    expect(at(0.0196) / 1000).toBeCloseTo(6.85, 2);
    expect(at(0.02576, 0.99) / 1000).toBeCloseTo(10.68, 2);
  });

  it("needs none when it is decided, and never ends on the threshold", () => {
    const figure = { value: 0.9, interval: [0.88, 0.92], rowCount: 100 } as const;
    expect(countRowsToDecide({ ...figure, threshold: 0.87 })).toBe(0);
    expect(countRowsToDecide({ ...figure, threshold: 0.9 })).toBe(Infinity);
    expect(countRowsToDecide({ ...figure, threshold: 0.91 })).toBeGreaterThan(0);
  });
});
