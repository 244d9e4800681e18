import { isCkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import {
  finalizeMeasurement,
  initMeasurement,
  type MeasuredMetrics,
  type Measurement,
  mergeMeasurements,
  updateMeasurement,
} from "../src/metrics/measurement.js";
import type { Metric, ScoredRows } from "../src/metrics/metric.js";
import { findMetric, metrics } from "../src/metrics/registry.js";
import { createRandom } from "../src/statistics/random.js";
import type { Task } from "../src/task.js";
import { cutRows, goldens, pickRows, rowsOf } from "./golden-cases.js";

describe("every metric", () => {
  it.each(goldens.cases)("gives the figures of scikit-learn and torchmetrics: $name", (golden) => {
    const names = Object.keys(golden.values);
    const { metrics: found, notDefined } = measure(
      names.map((name) => findMetric(name, golden.task)),
      [rowsOf(golden)],
    );
    const expected = Object.fromEntries(Object.entries(golden.values).filter(([, value]) => value !== null));
    expect(Object.keys(notDefined).toSorted()).toEqual(names.filter((name) => golden.values[name] === null).toSorted());
    for (const [name, value] of Object.entries(expected)) {
      const scale = Math.max(1, Math.abs(value ?? 0));
      expect(Math.abs((found[name]?.value ?? NaN) - (value ?? 0)) / scale, name).toBeLessThan(1e-6);
    }
  });

  it("has a golden", () => {
    const covered = new Set(
      goldens.cases.flatMap(({ task, values }) => Object.keys(values).map((name) => `${task} ${name.split("@")[0]}`)),
    );
    const missing = metrics
      .filter(({ task, name }) => !covered.has(`${task} ${name}`))
      .map(({ task, name }) => `${task} ${name}`);
    expect(missing).toEqual([]);
  });

  it.each(goldens.cases)(
    "is the same to the last bit for every batch size, and merges associatively: $name",
    (golden) => {
      const all = metrics.filter(({ task }) => task === golden.task);
      const rows = rowsOf(golden);
      const whole = measure(all, [rows]);
      for (const batchSize of [1, 7]) expect(measure(all, cutRows(rows, batchSize))).toEqual(whole);
      const parts = (): Measurement[] => cutRows(rows, Math.ceil(rows.rowCount / 5)).map((part) => take(all, [part]));
      const leftFirst = parts().reduce((left, right) => mergeMeasurements(all, left, right));
      const rightFirst = parts().reduceRight((right, left) => mergeMeasurements(all, left, right));
      expect(finalizeMeasurement(all, leftFirst)).toEqual(whole);
      expect(finalizeMeasurement(all, structuredClone(rightFirst))).toEqual(whole);
    },
  );

  it.each(goldens.cases)("is the same to 1e-12 for every order of the rows: $name", (golden) => {
    const all = metrics.filter(({ task }) => task === golden.task);
    const rows = rowsOf(golden);
    const random = createRandom(3);
    const order = Array.from({ length: rows.rowCount }, (_, row) => ({ row, key: random() }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ row }) => row);
    const { metrics: whole } = measure(all, [rows]);
    const { metrics: shuffled } = measure(all, [pickRows(rows, order)]);
    for (const [name, { value }] of Object.entries(whole)) {
      const scale = Math.max(1, Math.abs(value));
      expect(Math.abs((shuffled[name]?.value ?? NaN) - value) / scale, name).toBeLessThan(1e-12);
    }
  });

  it.each(goldens.cases)("lies in its range, and its interval around it: $name", (golden) => {
    const all = metrics.filter(({ task }) => task === golden.task);
    const { metrics: found } = measure(all, [rowsOf(golden)]);
    for (const { name, range } of all) {
      const { value, interval } = found[name] ?? { value: range[0] };
      expect(value, name).toBeGreaterThanOrEqual(range[0]);
      expect(value, name).toBeLessThanOrEqual(range[1]);
      if (interval === undefined) continue;
      expect(interval[0], name).toBeGreaterThanOrEqual(range[0]);
      expect(interval[0], name).toBeLessThanOrEqual(value);
      expect(interval[1], name).toBeGreaterThanOrEqual(value);
      expect(interval[1], name).toBeLessThanOrEqual(range[1]);
    }
  });

  it("counts a weight of two as two rows", () => {
    for (const name of ["five classes, weighted", "four labels, weighted", "positive values, weighted"]) {
      const golden = goldens.cases.find((golden) => golden.name === name);
      if (golden === undefined) throw new Error(name);
      const all = metrics.filter(({ task }) => task === golden.task);
      const { weights, ...rows } = rowsOf(golden);
      const repeated = Array.from(weights ?? [], (weight, row) => Array.from({ length: weight }, () => row)).flat();
      const { metrics: weighted } = measure(all, [rowsOf(golden)]);
      const { metrics: copied } = measure(all, [pickRows(rows, repeated)]);
      for (const [metric, { value }] of Object.entries(copied)) {
        expect(weighted[metric]?.value, metric).toBeCloseTo(value, 10);
      }
    }
  });

  it("refuses to be of no rows", () => {
    const thrown = ((): unknown => {
      try {
        return measure([findMetric("accuracy")], []);
      } catch (error) {
        return error;
      }
    })();
    expect(isCkptError(thrown, "INVALID_OPTION")).toBe(true);
  });
});

describe("findMetric", () => {
  it.each([
    ["accuracy_score", "accuracy"],
    ["balanced_accuracy", "balancedAccuracy"],
    ["f1_macro", "f1Macro"],
    ["roc_auc_ovr_weighted", "rocAucWeighted"],
    ["mean_squared_error", "mse"],
    ["r2_score", "r2"],
    ["top_k_accuracy@5", "topKAccuracy@5"],
    ["topKAccuracy@2", "topKAccuracy"],
    ["fbeta_score_macro@0.5", "fBetaMacro@0.5"],
    ["mean_pinball_loss@0.9", "pinball@0.9"],
  ])("understands %s", (given, name) => {
    expect(findMetric(given).name).toBe(name);
  });

  it.each(["topKAccuracy@0", "topKAccuracy@1.5", "topKAccuracy@", "pinball@1", "tweedieDeviance@0.5", "fBeta@x"])(
    "refuses %s",
    (name) => {
      expect(() => findMetric(name)).toThrow(/behind @/);
    },
  );

  it("refuses names that are no metric's, and options where there are none", () => {
    for (const name of ["acuracy", "accuracy@3", ""]) expect(() => findMetric(name)).toThrow(/no metric/);
  });

  it("has no name twice", () => {
    for (const task of ["classification", "multilabel", "regression", "sequence"] satisfies Task["kind"][]) {
      const names = metrics
        .filter((metric) => metric.task === task)
        .flatMap(({ name, aliases }) => [name].concat(aliases));
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    }
  });
});

function take(metrics: readonly Metric[], parts: readonly ScoredRows[]): Measurement {
  const state = initMeasurement(metrics, parts[0]?.columnCount ?? 0);
  for (const part of parts) updateMeasurement(metrics, state, part);
  return state;
}

function measure(metrics: readonly Metric[], parts: readonly ScoredRows[]): MeasuredMetrics {
  return finalizeMeasurement(metrics, take(metrics, parts));
}
