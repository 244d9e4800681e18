import { readFile } from "node:fs/promises";

import type { ScoredRows } from "../src/metrics/metric.js";
import type { Task } from "../src/task.js";

/** Predictions with the figures of scikit-learn, torchmetrics and SciPy; `null` is not defined. */
export interface GoldenCase {
  readonly name: string;
  readonly task: Task["kind"];
  readonly columns: number;
  readonly predictions: readonly number[];
  readonly labels: readonly number[];
  readonly weights?: readonly number[];
  readonly positions?: number;
  readonly values: Readonly<Record<string, number | null>>;
  readonly accuracyInterval?: readonly [number, number];
  readonly confusion?: readonly (readonly number[])[];
}

/** What `goldens/make_goldens.py` writes. */
export interface Goldens {
  readonly cases: readonly GoldenCase[];
  readonly bootstrap: { readonly values: readonly number[]; readonly interval: readonly [number, number] };
  readonly mcnemar: readonly { readonly b: number; readonly c: number; readonly exact: number; readonly mid: number }[];
  readonly normal: readonly (readonly [z: number, probability: number])[];
}

export const goldens: Goldens = JSON.parse(
  await readFile(new URL("goldens/metrics.json", import.meta.url), "utf8"),
) as Goldens;

/** A case as the metrics see it. */
export function rowsOf(golden: GoldenCase): ScoredRows {
  const { task, columns, labels, weights, positions = 1 } = golden;
  const isColumnOfTwo = task === "classification" && columns === 1;
  const rowCount = golden.predictions.length / columns / positions;
  const predictions = Float32Array.from(golden.predictions);
  return {
    rowCount,
    columnCount: isColumnOfTwo ? 2 : columns,
    predictions: isColumnOfTwo ? twoColumns(predictions) : predictions,
    labels: task === "regression" ? Float32Array.from(labels) : Int32Array.from(labels),
    ...(weights === undefined ? {} : { weights: Float64Array.from(weights) }),
  };
}

/** Some of the rows: those at `indices`, in that order. */
export function pickRows(rows: ScoredRows, indices: readonly number[]): ScoredRows {
  const predictionWidth = rows.predictions.length / rows.rowCount;
  const labelWidth = rows.labels.length / rows.rowCount;
  const pick = (values: ArrayLike<number>, width: number): number[] =>
    indices.flatMap((row) => Array.from({ length: width }, (_, column) => values[row * width + column] ?? NaN));
  const labels = pick(rows.labels, labelWidth);
  return {
    rowCount: indices.length,
    columnCount: rows.columnCount,
    predictions: Float32Array.from(pick(rows.predictions, predictionWidth)),
    labels: rows.labels instanceof Int32Array ? Int32Array.from(labels) : Float32Array.from(labels),
    ...(rows.weights === undefined ? {} : { weights: Float64Array.from(pick(rows.weights, 1)) }),
    ...(rows.groups === undefined ? {} : { groups: Int32Array.from(pick(rows.groups, 1)) }),
  };
}

/** Consecutive rows in batches. */
export function cutRows(rows: ScoredRows, batchSize: number): readonly ScoredRows[] {
  const batches: ScoredRows[] = [];
  for (let start = 0; start < rows.rowCount; start += batchSize) {
    const length = Math.min(batchSize, rows.rowCount - start);
    batches.push(
      pickRows(
        rows,
        Array.from({ length }, (_, offset) => start + offset),
      ),
    );
  }
  return batches;
}

function twoColumns(probabilities: Float32Array): Float32Array {
  return Float32Array.from({ length: probabilities.length * 2 }, (_, index) => {
    const probability = probabilities[Math.floor(index / 2)] ?? 0;
    return index % 2 === 0 ? 1 - probability : probability;
  });
}
