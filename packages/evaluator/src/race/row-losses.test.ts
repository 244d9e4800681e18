import { describe, expect, it } from "vitest";

import type { ScoredRows } from "../metrics/metric.js";
import { findMetric, metrics } from "../metrics/registry.js";
import { type BoundedMetric, boundMetric, computeLosses, estimateFromShares } from "./row-losses.js";

function bound(name: string, task: "classification" | "multilabel" | "regression" = "classification"): BoundedMetric {
  const metric = boundMetric(findMetric(name, task));
  if (metric === undefined) throw new Error(`${name} is not bounded`);
  return metric;
}

/** Three rows of two classes; in the last one float32 has rounded beyond 1. */
const rows: ScoredRows = {
  rowCount: 3,
  columnCount: 2,
  predictions: Float32Array.of(0.75, 0.25, 0.25, 0.75, -1.2e-7, 1 + 1.2e-7),
  labels: Int32Array.of(0, 0, 0),
};

describe("boundMetric", () => {
  it("takes means over rows of values within bounds, and nothing else", () => {
    const names = metrics
      .filter((metric) => boundMetric(metric) !== undefined)
      .map(({ name, task }) => `${task} ${name}`);
    expect(names.toSorted()).toEqual(
      [
        ...["accuracy", "brierScore", "hammingLoss", "logLoss", "topKAccuracy"].map((name) => `classification ${name}`),
        ...["accuracy", "brierScore", "hammingLoss", "logLoss"].map((name) => `multilabel ${name}`),
        "regression smape",
      ].toSorted(),
    );
  });
});

describe("computeLosses", () => {
  it("is the distance to the best value, within the bound also where float32 rounded", () => {
    expect(computeLosses(bound("accuracy"), rows)).toEqual(Float64Array.of(0, 1, 1));
    const brier = computeLosses(bound("brierScore"), rows);
    expect(Array.from(brier.subarray(0, 2))).toEqual([0.0625, 0.5625]);
    expect(brier[2]).toBeCloseTo(1, 6);
    const logLoss = bound("logLoss");
    const losses = computeLosses(logLoss, rows);
    expect(losses[0]).toBeCloseTo(-Math.log(0.75), 12);
    expect(losses[2]).toBe(logLoss.lossBound);
  });

  it("leaves NaN as it is", () => {
    const broken = { ...rows, predictions: Float32Array.of(NaN, NaN, 0.5, 0.5, 0.5, 0.5) };
    expect(computeLosses(bound("logLoss"), broken)[0]).toBeNaN();
  });
});

describe("estimateFromShares", () => {
  it("gives back the metric, with the lower end first in both directions", () => {
    expect(estimateFromShares(bound("accuracy"), 0.25, [0.125, 0.5])).toEqual({ value: 0.75, interval: [0.5, 0.875] });
    expect(estimateFromShares(bound("brierScore"), 0.25, [0.125, 0.5])).toEqual({ value: 0.5, interval: [0.25, 1] });
  });
});
