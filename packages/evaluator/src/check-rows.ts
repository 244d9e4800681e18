import { CkptError, type EvaluationManifest } from "@ckpt/manifest";

import type { Metric, ScoredRows } from "./metrics/metric.js";
import type { StoredRows } from "./predictions.js";
import { countColumns, type Task } from "./task.js";

/** How far a row's sum may be from 1, and a value outside [0, 1]: the root of float32's epsilon, as in scikit-learn. */
const probabilityTolerance = Math.sqrt(2 ** -23);

/** Rows in the metrics' form: a single column p of two classes becomes the columns 1 - p and p. */
export function toScoredRows({ rowCount, predictions, labels }: StoredRows, task: Task): ScoredRows {
  const columnCount = countColumns(task);
  if (task.kind !== "classification" || predictions.length === rowCount * columnCount) {
    return { rowCount, columnCount, predictions, labels };
  }
  const both = new Float32Array(rowCount * 2);
  for (let row = 0; row < rowCount; row++) {
    const probability = predictions[row] ?? 0;
    both[row * 2] = 1 - probability;
    both[row * 2 + 1] = probability;
  }
  return { rowCount, columnCount, predictions: both, labels };
}

/**
 * Says why these rows cannot be scored, or `undefined`: a prediction is not finite, or is no probability where one of
 * the metrics, or the threshold of a single column, needs that.
 *
 * @param firstRow - Number of the first of these rows in the split.
 * @throws {CkptError} SIGNATURE_MISMATCH when a label is no class of the output or not finite: the data is wrong, not the model.
 */
export function checkRows(
  path: string,
  evaluation: Pick<EvaluationManifest, "output">,
  task: Task,
  metrics: readonly Metric[],
  rows: StoredRows,
  firstRow: number,
): string | undefined {
  const { name } = evaluation.output;
  const width = rows.predictions.length / rows.rowCount;
  const bad = rows.predictions.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    return `output ${name} is ${rows.predictions[bad]} in row ${firstRow + Math.floor(bad / width)}, column ${bad % width}`;
  }
  checkLabels(path, task, rows, firstRow);
  if (task.kind === "regression") return undefined;
  // A threshold of 0.5 stands for a probability too.
  const needing = metrics.find((metric) => metric.needsProbabilities || width === 1 || task.kind === "multilabel");
  if (needing === undefined) return undefined;
  const problem = findImprobable(rows, task);
  if (problem === undefined) return undefined;
  return (
    `${needing.name} needs probabilities, but output ${name} ${problem.text} in row ${firstRow + problem.row}: ` +
    `end the model with softmax or sigmoid${width === 1 || task.kind === "multilabel" ? "" : ", or ask for accuracy only"}`
  );
}

function checkLabels(path: string, task: Task, { labels, rowCount }: StoredRows, firstRow: number): void {
  const [isSound, expected] = describeLabels(task);
  const bad = labels.findIndex((label) => !isSound(label));
  if (bad === -1) return;
  throw new CkptError("SIGNATURE_MISMATCH", {
    where: `${path}: label of row ${firstRow + Math.floor(bad / (labels.length / rowCount))}`,
    expected,
    found: String(labels[bad]),
  });
}

function describeLabels(task: Task): readonly [isSound: (label: number) => boolean, expected: string] {
  if (task.kind === "regression") return [Number.isFinite, "a finite target"];
  if (task.kind === "multilabel") return [(label) => label === 0 || label === 1, "0 or 1"];
  const { kind, classCount } = task;
  const expected = `a class from 0 to ${classCount - 1}`;
  if (kind === "sequence") return [(label) => label < classCount, `${expected}, or less for padding`];
  return [(label) => label >= 0 && label < classCount, expected];
}

function findImprobable(
  { predictions, rowCount }: StoredRows,
  task: Task,
): { readonly row: number; readonly text: string } | undefined {
  const width = predictions.length / rowCount;
  const distribution = task.kind === "multilabel" ? 1 : task.kind === "sequence" ? task.classCount : width;
  for (let start = 0; start < predictions.length; start += distribution) {
    const row = Math.floor(start / width);
    let sum = 0;
    for (let index = start; index < start + distribution; index++) {
      const value = predictions[index] ?? 0;
      sum += value;
      if (value < -probabilityTolerance || value > 1 + probabilityTolerance) return { row, text: `is ${value}` };
    }
    if (distribution > 1 && Math.abs(sum - 1) > probabilityTolerance) return { row, text: `sums to ${sum}` };
  }
  return undefined;
}
