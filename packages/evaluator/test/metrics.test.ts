import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { manifestNames, metricsManifestType, readDocument } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { computeMetrics } from "../src/compute-metrics.js";
import { confusionMatrix } from "../src/metrics/confusion-matrix.js";
import { createMeanMetric } from "../src/metrics/mean-metric.js";
import type { AccumulatorMetric, Metric } from "../src/metrics/metric.js";
import { sliceByColumn } from "../src/metrics/slices.js";
import { cutRows, type GoldenCase, goldens, rowsOf } from "./golden-cases.js";
import { makeEvaluation } from "./make-evaluation.js";
import { makeFolder } from "./make-folder.js";

describe("computeMetrics", () => {
  const classification = goldens.cases.filter(
    ({ task, weights }) => task === "classification" && weights === undefined,
  );

  it.each(classification)("gives scikit-learn's figures from stored predictions: $name", async (golden) => {
    const labels = Int32Array.from(golden.labels);
    const path = await makeEvaluation(await makeFolder(), "e", golden.predictions, golden.columns, labels);
    const { metrics, confusion, perClass, failure } = await computeMetrics(path);
    expect(failure).toBeUndefined();
    expect(metrics["accuracy"]?.value).toBeCloseTo(golden.values["accuracy"] ?? NaN, 14);
    expect(metrics["accuracy"]?.interval?.[0]).toBeCloseTo(golden.accuracyInterval?.[0] ?? NaN, 9);
    expect(metrics["accuracy"]?.interval?.[1]).toBeCloseTo(golden.accuracyInterval?.[1] ?? NaN, 9);
    expect(metrics["logLoss"]?.value).toBeCloseTo(golden.values["logLoss"] ?? NaN, 6);
    expect(confusion).toEqual(golden.confusion);
    for (const { class: index, support, recall, precision } of perClass ?? []) {
      const row = golden.confusion?.[index] ?? [];
      const column = (golden.confusion ?? []).map((counts) => counts[index] ?? 0);
      expect(support).toBe(sum(row));
      expect(recall.value).toBeCloseTo(support === 0 ? 0 : (row[index] ?? 0) / support, 14);
      expect(precision.value).toBeCloseTo(sum(column) === 0 ? 0 : (row[index] ?? 0) / sum(column), 14);
      expect(recall.interval === undefined).toBe(support === 0);
    }
  });

  it("gives scikit-learn's figures for regression, with an interval around each", async () => {
    const golden = goldenOf("two targets");
    const labels = Float32Array.from(golden.labels);
    const path = await makeEvaluation(await makeFolder(), "e", golden.predictions, golden.columns, labels);
    const { metrics, confusion, perClass } = await computeMetrics(path);
    expect([confusion, perClass]).toEqual([undefined, undefined]);
    for (const name of ["mse", "mae"] as const) {
      const { value = NaN, interval } = metrics[name] ?? {};
      expect(value).toBeCloseTo(golden.values[name] ?? NaN, 9);
      expect(interval?.[0]).toBeLessThan(value);
      expect(interval?.[1]).toBeGreaterThan(value);
    }
  });

  it("tells several labels and sequences from their shapes", async () => {
    const folder = await makeFolder();
    const labels = goldenOf("four labels");
    const multilabel = await makeEvaluation(folder, "labels", labels.predictions, 4, Int32Array.from(labels.labels));
    const found = await computeMetrics(multilabel);
    expect(found.metrics["f1Macro"]?.value).toBeCloseTo(labels.values["f1Macro"] ?? NaN, 9);
    expect(found.perClass).toHaveLength(4);
    const tokens = goldenOf("tokens with padding");
    const shape = [7, 6];
    const sequence = await makeEvaluation(folder, "tokens", tokens.predictions, shape, Int32Array.from(tokens.labels));
    const { metrics, perClass } = await computeMetrics(sequence);
    expect(metrics["perplexity"]?.value).toBeCloseTo(tokens.values["perplexity"] ?? NaN, 5);
    expect(metrics["tokenAccuracy"]?.value).toBeCloseTo(tokens.values["tokenAccuracy"] ?? NaN, 6);
    expect(perClass).toBeUndefined();
  });

  it("weighs rows, and draws groups together", async () => {
    const golden = goldenOf("five classes, weighted");
    const labels = Int32Array.from(golden.labels);
    const path = await makeEvaluation(await makeFolder(), "e", golden.predictions, golden.columns, labels);
    const weights = Float64Array.from(golden.weights ?? []);
    const weighted = await computeMetrics(path, ["accuracy", "f1"], { weights });
    expect(weighted.metrics["accuracy"]?.value).toBeCloseTo(golden.values["accuracy"] ?? NaN, 9);
    expect(weighted.metrics["f1"]?.value).toBeCloseTo(golden.values["f1"] ?? NaN, 9);
    // Rows that are copies of each other tell no more than one of them.
    const copies = Array.from(labels, (_, row) => row % 30);
    const copied = await makeEvaluation(
      await makeFolder(),
      "copies",
      copies.flatMap((row) => golden.predictions.slice(row * 5, row * 5 + 5)),
      5,
      Int32Array.from(copies, (row) => labels[row] ?? 0),
    );
    const single = (await computeMetrics(copied, ["logLoss"])).metrics["logLoss"];
    const grouped = (await computeMetrics(copied, ["logLoss"], { groups: Int32Array.from(copies) })).metrics["logLoss"];
    expect(grouped?.value).toBe(single?.value);
    // Ten copies of each of 30 rows: the root of ten wider.
    expect(width(grouped?.interval) / width(single?.interval)).toBeGreaterThan(2.8);
    expect(width(grouped?.interval) / width(single?.interval)).toBeLessThan(3.6);
  });

  it("gives classes no intervals of single rows where rows belong together", async () => {
    const predictions = [0.2, 0.8, 0.9, 0.1, 0.4, 0.6];
    const path = await makeEvaluation(await makeFolder(), "e", predictions, 2, Int32Array.of(1, 0, 0));
    const plain = (await computeMetrics(path, ["accuracy"])).perClass?.[0];
    const grouped = (await computeMetrics(path, ["accuracy"], { groups: Int32Array.of(1, 2, 2) })).perClass?.[0];
    for (const name of ["precision", "recall", "specificity", "f1"] as const) {
      expect(plain?.[name].interval).toBeDefined();
      expect(grouped?.[name]).toEqual({ value: plain?.[name].value });
    }
  });

  it("refuses weights that are none", async () => {
    const path = await makeEvaluation(await makeFolder(), "e", [0.2, 0.8, 0.9, 0.1], 2, Int32Array.of(1, 1));
    for (const weights of [[1], [1, -1], [1, NaN], [0, 0]]) {
      await expect(computeMetrics(path, ["accuracy"], { weights: Float64Array.from(weights) })).rejects.toMatchObject({
        code: "INVALID_OPTION",
        details: { option: "weights" },
      });
    }
    await expect(computeMetrics(path, ["accuracy"], { groups: Int32Array.of(1) })).rejects.toMatchObject({
      details: { option: "groups" },
    });
  });

  it("shows the slices, and the worst of those that are large enough", async () => {
    const predictions = [0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.6, 0.4, 0.1, 0.9];
    const path = await makeEvaluation(await makeFolder(), "e", predictions, 2, Int32Array.of(0, 0, 0, 0, 0));
    const slices = [
      ...sliceByColumn("site", ["b", "b", "a", "a", "c"]),
      { name: "none", includes: () => false },
      { name: "late", includes: (row: number) => row >= 3 },
    ];
    const found = await computeMetrics(path, ["accuracy", "rocAuc"], { slices, minSliceRows: 2 });
    expect(found.slices?.map(({ name, rowCount, metrics }) => [name, rowCount, metrics["accuracy"]?.value])).toEqual([
      ["site=a", 2, 0.5],
      ["site=b", 2, 1],
      ["site=c", 1, 0],
      ["none", 0, undefined],
      ["late", 2, 0.5],
    ]);
    expect(found.worstSlices).toEqual({ accuracy: "site=a" });
    expect(found.notDefined).toEqual({ rocAuc: "a class has no rows, or all of them" });
    expect(found.slices?.[0]?.notDefined).toEqual(found.notDefined);
    expect(found.metrics["accuracy"]?.value).toBe(0.6);
  });

  it("takes metrics of one's own: a function of a row, of all rows, and an accumulator", async () => {
    const path = await makeEvaluation(
      await makeFolder(),
      "e",
      [0.2, 0.8, 0.9, 0.1, 0.4, 0.6],
      2,
      Int32Array.of(1, 1, 1),
    );
    const header = { aliases: [], task: "classification", mode: "max", needsProbabilities: true } as const;
    const confidence = createMeanMetric({
      ...header,
      name: "confidence",
      range: [0, 1],
      scoreRow: ({ predictions, columnCount }, row) => predictions[row * columnCount + 1] ?? 0,
    });
    const largest: Metric = {
      ...header,
      kind: "statistic",
      name: "largest",
      range: [0, 1],
      hasInterval: true,
      record: confidence.record,
      prepare:
        ({ values }) =>
        (weights) =>
          Math.max(...Array.from(values, (value, row) => (weights[row] === 0 ? 0 : value))),
    };
    const counter: AccumulatorMetric<{ rows: number }> = {
      ...header,
      kind: "accumulator",
      name: "rowCount",
      range: [0, Infinity],
      init: () => ({ rows: 0 }),
      update: (state, rows) => {
        state.rows += rows.rowCount;
      },
      merge: (left, right) => ({ rows: left.rows + right.rows }),
      finalize: ({ rows }) => ({ value: rows, interval: [rows, rows] }),
    };
    const { metrics } = await computeMetrics(path, [confidence, "accuracy", largest, counter]);
    expect(Object.keys(metrics)).toEqual(["confidence", "accuracy", "largest", "rowCount"]);
    expect(metrics["confidence"]?.value).toBeCloseTo(0.5, 7);
    expect(metrics["largest"]?.value).toBeCloseTo(0.8, 7);
    expect(metrics["rowCount"]).toEqual({ value: 3, interval: [3, 3] });
    const other: Metric = { ...confidence, task: "regression" };
    await expect(computeMetrics(path, [other])).rejects.toMatchObject({ code: "METRIC_NOT_FOUND" });
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
      details: { metric: "mse", available: expect.arrayContaining(["accuracy", "logLoss"]) as string[] },
    });
  });
});

describe("confusionMatrix", () => {
  it("merges", () => {
    const golden = goldenOf("five classes");
    const counts = cutRows(rowsOf(golden), 37).map((part) => {
      const state = confusionMatrix.init(5);
      confusionMatrix.update(state, part);
      return state;
    });
    expect(counts.reduce((left, right) => confusionMatrix.merge(left, right))).toEqual(golden.confusion);
  });
});

function goldenOf(name: string): GoldenCase {
  const found = goldens.cases.find((golden) => golden.name === name);
  if (found === undefined) throw new Error(`no golden ${name}`);
  return found;
}

function width([low, high]: readonly [number, number] = [0, 0]): number {
  return high - low;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
