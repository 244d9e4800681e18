import { describe, expect, it } from "vitest";

import { createNormal, meanOf, simulateLosses } from "../../test/simulate-candidates.js";
import { condenseFigure, correctSelection, resampleFigures } from "./candidate-figure.js";
import { resampleMeans } from "./candidate-replicates.js";
import { cutCells } from "./cells.js";
import { comparePaired, type PairedDifference } from "./paired-difference.js";
import type { Statistic } from "./resample.js";
import { countDiscordant, packHits } from "./row-hits.js";
import type { Sample } from "./units.js";
import { weightedMean } from "./weighted-mean.js";

const meanAs = (rowValues: Float64Array): { statistic: Statistic; rowValues: Float64Array } => ({
  rowValues,
  statistic: (weights) => weightedMean(rowValues, weights),
});

const rootOf = (squares: Float64Array): { statistic: Statistic } => ({
  statistic: (weights) => Math.sqrt(weightedMean(squares, weights)),
});

function compare(
  sources: readonly { statistic: Statistic; rowValues?: Float64Array }[],
  sample: Sample,
): PairedDifference {
  const cells = cutCells(sample);
  const figures = sources.map((source) => condenseFigure(source, sample, cells));
  return comparePaired(resampleFigures(figures, sample, cells), 0, 1);
}

const widthOf = ({ bca: [low, high] }: PairedDifference): number => high - low;

/** Width of the 95 % interval of the mean of these. */
function normalWidth(differences: Float64Array): number {
  const mean = meanOf(differences);
  return 2 * 1.96 * Math.sqrt(meanOf(differences.map((value) => (value - mean) ** 2)) / differences.length);
}

describe("resampleFigures", () => {
  it("resamples the rows themselves where they are few", () => {
    const losses = simulateLosses([0.9, 0.92], 500, 1);
    const sample = { rowCount: 500 };
    const cells = cutCells(sample);
    const figures = losses.map((own) => condenseFigure(meanAs(own), sample, cells));
    expect(resampleFigures(figures, sample, cells)).toEqual(resampleMeans(losses, sample));
  });

  it("keeps ten thousand cells of more rows, also of sorted ones, with the rows' mean and error", () => {
    const losses = simulateLosses([0.9, 0.92], 45_000, 2);
    const [first = new Float64Array(), second = new Float64Array()] = losses;
    const order = Uint32Array.from(first, (_, row) => row).toSorted((a, b) => (first[a] ?? 0) - (first[b] ?? 0));
    const sorted = losses.map((own) => Float64Array.from(order, (row) => own[row] ?? 0));
    const differences = first.map((loss, row) => loss - (second[row] ?? 0));
    for (const rows of [losses, sorted]) {
      const found = compare(rows.map(meanAs), { rowCount: 45_000 });
      expect(found.value).toBeCloseTo(meanOf(differences), 12);
      expect(Math.abs(widthOf(found) / normalWidth(differences) - 1)).toBeLessThan(0.08);
    }
    const figure = condenseFigure(meanAs(first), { rowCount: 45_000 }, cutCells({ rowCount: 45_000 }));
    expect(figure.kind === "mean" && figure.means.length).toBe(10_000);
  });

  it("resamples what leaving out blocks does to a figure that is no mean of many rows", () => {
    const normal = createNormal(3);
    const shared = Float64Array.from({ length: 30_000 }, normal);
    const squares = [1.1, 1].map((scale) => shared.map((value) => (scale * value + 0.3 * normal()) ** 2));
    const found = compare(squares.map(rootOf), { rowCount: 30_000 });
    const [a = new Float64Array(), b = new Float64Array()] = squares;
    const [rootA, rootB] = [Math.sqrt(meanOf(a)), Math.sqrt(meanOf(b))];
    expect(found.value).toBeCloseTo(rootA - rootB, 12);
    // The root's derivative: an error of the mean square counts 1 / (2 root).
    const linear = a.map((value, row) => value / (2 * rootA) - (b[row] ?? 0) / (2 * rootB));
    expect(Math.abs(widthOf(found) / normalWidth(linear) - 1)).toBeLessThan(0.25);
  });

  it("draws groups as one: rows that are there four times tell no more than once", () => {
    const losses = simulateLosses([0.85, 0.9], 400, 4);
    const once = compare(losses.map(meanAs), { rowCount: 400 });
    const fourfold = losses.map((own) => Float64Array.from({ length: 1600 }, (_, row) => own[row >> 2] ?? 0));
    const groups = Int32Array.from({ length: 1600 }, (_, row) => row >> 2);
    const grouped = compare(fourfold.map(meanAs), { rowCount: 1600, groups });
    expect(grouped.value).toBeCloseTo(once.value, 12);
    expect(grouped.bca).toEqual([expect.closeTo(once.bca[0], 12), expect.closeTo(once.bca[1], 12)]);
    expect(widthOf(compare(fourfold.map(meanAs), { rowCount: 1600 }))).toBeLessThan(0.6 * widthOf(once));
  });
});

describe("correctSelection", () => {
  it("is below the best of many equals, where they only look different", () => {
    const gains = simulateLosses(
      Array.from({ length: 20 }, () => 0.9),
      1000,
      5,
      0.3,
    ).map((losses) => losses.map((loss) => 1 - loss));
    const sample = { rowCount: 1000 };
    const cells = cutCells(sample);
    const figures = gains.map((own) => condenseFigure(meanAs(own), sample, cells));
    const { value = NaN, selectionValue = NaN } = correctSelection(figures, sample, cells, "max") ?? {};
    expect(selectionValue).toBe(Math.max(...gains.map(meanOf)));
    expect(selectionValue - value).toBeGreaterThan(0.005);
    expect(Math.abs(value - 0.9)).toBeLessThan(0.02);
  });
});

describe("countDiscordant", () => {
  it("counts the rows that just one has right, whatever their number", () => {
    for (const rowCount of [1, 31, 32, 33, 1000]) {
      const [first = new Float64Array(), second = new Float64Array()] = simulateLosses([0.6, 0.7], rowCount, rowCount);
      const both = Array.from(first, (loss, row) => [loss, second[row]]);
      const found = countDiscordant(packHits(first, 0), packHits(second, 0));
      expect(found).toEqual({
        onlyFirst: both.filter(([a, b]) => a === 0 && b === 1).length,
        onlySecond: both.filter(([a, b]) => a === 1 && b === 0).length,
      });
    }
  });
});
