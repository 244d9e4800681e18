import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { manifestNames, metricsManifestType, readDocument } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { toScoredRows } from "../src/check-rows.js";
import { computeMetrics } from "../src/compute-metrics.js";
import { confusionMatrix } from "../src/metrics/confusion-matrix.js";
import type { Metric, ScoredRows } from "../src/metrics/metric.js";
import { metrics } from "../src/metrics/registry.js";
import { makeEvaluation } from "./make-evaluation.js";
import { makeFolder } from "./make-folder.js";

interface ClassificationGolden {
  readonly name: string;
  readonly columns: number;
  readonly predictions: readonly number[];
  readonly labels: readonly number[];
  readonly accuracy: number;
  readonly accuracyInterval: readonly [number, number];
  readonly logLoss: number;
  readonly confusion: readonly (readonly number[])[];
}

interface Goldens {
  readonly classification: readonly ClassificationGolden[];
  readonly regression: {
    readonly columns: number;
    readonly predictions: readonly number[];
    readonly labels: readonly number[];
    readonly mse: number;
    readonly mae: number;
  };
}

const goldens = JSON.parse(await readFile(new URL("goldens/metrics.json", import.meta.url), "utf8")) as Goldens;

describe("computeMetrics", () => {
  it.each(goldens.classification)("gives scikit-learn's figures: $name", async (golden) => {
    const folder = await makeFolder();
    const labels = Int32Array.from(golden.labels);
    const path = await makeEvaluation(folder, "e", golden.predictions, golden.columns, labels);
    const { metrics, confusion, failure } = await computeMetrics(path);
    expect(failure).toBeUndefined();
    expect(metrics["accuracy"]?.value).toBe(golden.accuracy);
    expect(metrics["accuracy"]?.interval?.[0]).toBeCloseTo(golden.accuracyInterval[0], 9);
    expect(metrics["accuracy"]?.interval?.[1]).toBeCloseTo(golden.accuracyInterval[1], 9);
    expect(Math.abs((metrics["logLoss"]?.value ?? NaN) - golden.logLoss)).toBeLessThan(1e-6);
    expect(confusion).toEqual(golden.confusion);
  });

  it("gives scikit-learn's figures for regression, with an interval around each", async () => {
    const { regression } = goldens;
    const folder = await makeFolder();
    const labels = Float32Array.from(regression.labels);
    const path = await makeEvaluation(folder, "e", regression.predictions, regression.columns, labels);
    const { metrics, confusion } = await computeMetrics(path);
    expect(confusion).toBeUndefined();
    for (const name of ["mse", "mae"] as const) {
      const { value = NaN, interval } = metrics[name] ?? {};
      expect(Math.abs(value - regression[name])).toBeLessThan(1e-9);
      expect(interval?.[0]).toBeLessThan(value);
      expect(interval?.[1]).toBeGreaterThan(value);
    }
  });

  it("writes metrics.json beside the predictions, the same bytes each time", async () => {
    const path = await makeEvaluation(await makeFolder(), "e", [0.2, 0.8, 0.9, 0.1], 2, Int32Array.of(1, 1));
    const sealed = await computeMetrics(path);
    const file = join(path, manifestNames.metrics);
    const bytes = await readFile(file);
    expect(await readDocument(metricsManifestType, file)).toEqual(sealed);
    await computeMetrics(path);
    expect(await readFile(file)).toEqual(bytes);
  });

  it("takes scikit-learn's names, and each metric once", async () => {
    const path = await makeEvaluation(await makeFolder(), "e", [0.2, 0.8], 2, Int32Array.of(1));
    const { metrics } = await computeMetrics(path, ["log_loss", "logLoss", "accuracy_score"]);
    expect(Object.keys(metrics)).toEqual(["logLoss", "accuracy"]);
  });

  it.each([
    ["NaN", NaN, "output output is NaN in row 1, column 0"],
    ["Infinity", Infinity, "output output is Infinity in row 1, column 0"],
  ])("marks predictions with %s as failed", async (_name, value, failure) => {
    const path = await makeEvaluation(await makeFolder(), "e", [0.2, 0.8, value, 0.1], 2, Int32Array.of(1, 1));
    expect(await computeMetrics(path)).toMatchObject({ metrics: {}, failure });
  });

  it.each([
    ["a negative value", [0.2, 0.8, -2, 3], 2, "is -2 in row 1"],
    ["rows that do not sum to one", [0.2, 0.8, 0.7, 0.7], 2, "sums to 1.3999"],
    ["a single column above one", [0.2, 4], 1, "is 4 in row 1"],
  ])("marks logits as failed: %s", async (_name, predictions, columns, text) => {
    const path = await makeEvaluation(await makeFolder(), "e", predictions, columns, Int32Array.of(1, 1));
    const { metrics, failure } = await computeMetrics(path);
    expect(metrics).toEqual({});
    expect(failure).toContain(text);
    expect(failure).toContain("needs probabilities");
  });

  it("gives the accuracy of logits of several classes, when it alone is asked for", async () => {
    const path = await makeEvaluation(await makeFolder(), "e", [-3, 2, 5, 1], 2, Int32Array.of(1, 1));
    const { metrics } = await computeMetrics(path, ["accuracy"]);
    expect(metrics["accuracy"]?.value).toBe(0.5);
  });

  it("takes float32 rounding for what it is", async () => {
    const path = await makeEvaluation(await makeFolder(), "e", [0.7, 0.3001, 1.00001, 0], 2, Int32Array.of(0, 0));
    expect(await computeMetrics(path)).not.toHaveProperty("failure");
  });

  it("refuses labels that are no class of the output, and targets that are not finite", async () => {
    const folder = await makeFolder();
    const classes = await makeEvaluation(folder, "classes", [0.2, 0.8, 0.2, 0.8], 2, Int32Array.of(1, 2));
    await expect(computeMetrics(classes)).rejects.toMatchObject({
      code: "SIGNATURE_MISMATCH",
      details: { where: `${classes}: label of row 1`, expected: "a class from 0 to 1", found: "2" },
    });
    const targets = await makeEvaluation(folder, "targets", [1, 2], 1, Float32Array.of(1, NaN));
    await expect(computeMetrics(targets)).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  });

  it("names the metrics of the task when asked for another", async () => {
    const path = await makeEvaluation(await makeFolder(), "e", [0.2, 0.8], 2, Int32Array.of(1));
    await expect(computeMetrics(path, ["mse"])).rejects.toMatchObject({
      code: "METRIC_NOT_FOUND",
      details: { metric: "mse", available: ["accuracy", "logLoss"] },
    });
  });
});

describe("every metric", () => {
  const [golden] = goldens.classification;
  const classRows = toScoredRows(
    {
      rowCount: golden?.labels.length ?? 0,
      predictions: Float32Array.from(golden?.predictions ?? []),
      labels: Int32Array.from(golden?.labels ?? []),
    },
    golden?.columns ?? 0,
  );
  const targetRows: ScoredRows = {
    rowCount: goldens.regression.labels.length / goldens.regression.columns,
    columnCount: goldens.regression.columns,
    predictions: Float32Array.from(goldens.regression.predictions),
    labels: Float32Array.from(goldens.regression.labels),
  };
  const rowsOf = (metric: Metric): ScoredRows => (metric.task === "classification" ? classRows : targetRows);

  it.each(metrics)("$name is the same to the last bit for every batch size, with its interval", (metric) => {
    const rows = rowsOf(metric);
    const whole = metric.finalize(accumulate(metric, [rows]));
    for (const batchSize of [1, 7, 64]) {
      expect(metric.finalize(accumulate(metric, cut(rows, batchSize)))).toEqual(whole);
    }
  });

  it.each(metrics)("$name merges associatively", (metric) => {
    const rows = rowsOf(metric);
    const whole = metric.finalize(accumulate(metric, [rows]));
    const parts = (): unknown[] => cut(rows, 50).map((part) => accumulate(metric, [part]));
    const leftFirst = parts().reduce((left, right) => metric.merge(left, right));
    const rightFirst = parts().reduceRight((right, left) => metric.merge(left, right));
    expect(metric.finalize(leftFirst)).toEqual(whole);
    expect(metric.finalize(rightFirst)).toEqual(whole);
  });

  it.each(metrics)("$name lies in its range, and its interval around it", (metric) => {
    const { value, interval } = metric.finalize(accumulate(metric, [rowsOf(metric)]));
    expect(value).toBeGreaterThan(metric.range[0]);
    expect(value).toBeLessThan(metric.range[1]);
    expect(interval?.[0]).toBeLessThan(value);
    expect(interval?.[1]).toBeGreaterThan(value);
  });

  it("has a confusion matrix that merges", () => {
    const whole = confusionMatrix.init(5);
    confusionMatrix.update(whole, classRows);
    const merged = cut(classRows, 37)
      .map((part) => {
        const state = confusionMatrix.init(5);
        confusionMatrix.update(state, part);
        return state;
      })
      .reduce((left, right) => confusionMatrix.merge(left, right));
    expect(merged).toEqual(whole);
    expect(whole).toEqual(golden?.confusion);
  });
});

function accumulate(metric: Metric, parts: readonly ScoredRows[]): unknown {
  const state = metric.init(parts[0]?.columnCount ?? 0);
  for (const part of parts) metric.update(state, part);
  return state;
}

function cut(rows: ScoredRows, batchSize: number): ScoredRows[] {
  const { rowCount, columnCount, predictions, labels } = rows;
  const labelWidth = labels.length / rowCount;
  const parts: ScoredRows[] = [];
  for (let start = 0; start < rowCount; start += batchSize) {
    const end = Math.min(start + batchSize, rowCount);
    parts.push({
      rowCount: end - start,
      columnCount,
      predictions: predictions.subarray(start * columnCount, end * columnCount),
      labels: labels.subarray(start * labelWidth, end * labelWidth),
    });
  }
  return parts;
}
