import { weightsOf } from "../statistics/units.js";
import { argmax } from "./argmax.js";
import { joinRows, type KeptRows, recordRows, type RowRecord } from "./kept-rows.js";
import type { Accumulator } from "./metric.js";

/** Label and predicted class of a row, 8 bytes. */
export const classRecord: RowRecord = {
  dtype: "int32",
  width: () => 2,
  write: ({ predictions, labels, columnCount }, row, target, offset) => {
    target[offset] = labels[row] ?? 0;
    target[offset + 1] = argmax(predictions, row * columnCount, columnCount);
  },
};

/** Two times the label plus the prediction, for each label of a row: one byte each. A probability above 0.5 is a yes. */
export const labelRecord: RowRecord = {
  dtype: "uint8",
  width: (columnCount) => columnCount,
  write: ({ predictions, labels, columnCount }, row, target, offset) => {
    for (let column = 0; column < columnCount; column++) {
      const index = row * columnCount + column;
      target[offset + column] = 2 * (labels[index] ?? 0) + Number((predictions[index] ?? 0) > 0.5);
    }
  },
};

/** Weighted counts `[classes]`. A class or label is actual where it is the label, hit where it is the prediction too. */
export interface ClassCounts {
  readonly hit: Float64Array;
  readonly predicted: Float64Array;
  readonly actual: Float64Array;
  /** Weight of all rows. */
  readonly total: number;
}

/** Counts rows of {@link classRecord}. */
export function countClasses({ rowCount, columnCount, values }: KeptRows, weights: Float64Array): ClassCounts {
  const hit = new Float64Array(columnCount);
  const predicted = new Float64Array(columnCount);
  const actual = new Float64Array(columnCount);
  let total = 0;
  for (let row = 0; row < rowCount; row++) {
    const weight = weights[row] ?? 0;
    const label = values[2 * row] ?? 0;
    const found = values[2 * row + 1] ?? 0;
    actual[label] = (actual[label] ?? 0) + weight;
    predicted[found] = (predicted[found] ?? 0) + weight;
    if (label === found) hit[label] = (hit[label] ?? 0) + weight;
    total += weight;
  }
  return { hit, predicted, actual, total };
}

/** Counts rows of {@link labelRecord}. */
export function countLabels({ rowCount, columnCount, values }: KeptRows, weights: Float64Array): ClassCounts {
  const hit = new Float64Array(columnCount);
  const predicted = new Float64Array(columnCount);
  const actual = new Float64Array(columnCount);
  let total = 0;
  for (let row = 0; row < rowCount; row++) {
    const weight = weights[row] ?? 0;
    total += weight;
    for (let column = 0; column < columnCount; column++) {
      const code = values[row * columnCount + column] ?? 0;
      if (code >= 2) actual[column] = (actual[column] ?? 0) + weight;
      if (code % 2 === 1) predicted[column] = (predicted[column] ?? 0) + weight;
      if (code === 3) hit[column] = (hit[column] ?? 0) + weight;
    }
  }
  return { hit, predicted, actual, total };
}

/** Adds up {@link ClassCounts} over rows that come in pieces: classes, or the labels of a multilabel task. */
export function createClassCounter(
  task: "classification" | "multilabel",
): Accumulator<{ counts: ClassCounts }, ClassCounts> {
  const record = task === "classification" ? classRecord : labelRecord;
  const count = task === "classification" ? countClasses : countLabels;
  return {
    init: (columnCount) => ({ counts: count(joinRows(record, columnCount, []), new Float64Array()) }),
    update: (state, rows) => {
      const kept = joinRows(record, rows.columnCount, [recordRows(record, rows)]);
      state.counts = addCounts(state.counts, count(kept, weightsOf(rows)));
    },
    merge: (left, right) => ({ counts: addCounts(left.counts, right.counts) }),
    finalize: ({ counts }) => counts,
  };
}

function addCounts(left: ClassCounts, right: ClassCounts): ClassCounts {
  return {
    hit: left.hit.map((value, index) => value + (right.hit[index] ?? 0)),
    predicted: left.predicted.map((value, index) => value + (right.predicted[index] ?? 0)),
    actual: left.actual.map((value, index) => value + (right.actual[index] ?? 0)),
    total: left.total + right.total,
  };
}
