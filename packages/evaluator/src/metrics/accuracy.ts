import { argmax } from "./argmax.js";
import { labelRecord } from "./class-record.js";
import { createMeanMetric } from "./mean-metric.js";
import type { MeanMetric } from "./metric.js";

/**
 * Fraction of rows whose largest prediction is the label's; equal predictions count for the lowest index, so one
 * probability p of two classes means class 1 from above 0.5.
 */
export const accuracy: MeanMetric = createMeanMetric({
  name: "accuracy",
  aliases: ["accuracyScore"],
  task: "classification",
  mode: "max",
  range: [0, 1],
  needsProbabilities: false,
  isProportion: true,
  scoreRow: ({ predictions, labels, columnCount }, row) =>
    Number(argmax(predictions, row * columnCount, columnCount) === labels[row]),
});

/** Fraction of rows with another class predicted than the label's. */
export const hammingLoss: MeanMetric = createMeanMetric({
  name: "hammingLoss",
  aliases: [],
  task: "classification",
  mode: "min",
  range: [0, 1],
  needsProbabilities: false,
  isProportion: true,
  scoreRow: ({ predictions, labels, columnCount }, row) =>
    Number(argmax(predictions, row * columnCount, columnCount) !== labels[row]),
});

/** Fraction of rows whose label is among the `k` largest predictions, of equal ones the lowest indices. */
export function createTopKAccuracy(k: number, option: string): MeanMetric {
  return createMeanMetric({
    name: `topKAccuracy${option}`,
    aliases: [`topKAccuracyScore${option}`],
    task: "classification",
    mode: "max",
    range: [0, 1],
    needsProbabilities: false,
    isProportion: true,
    scoreRow: ({ predictions, labels, columnCount }, row) => {
      const label = labels[row] ?? 0;
      const score = predictions[row * columnCount + label] ?? 0;
      let ahead = 0;
      for (let column = 0; column < columnCount; column++) {
        const other = predictions[row * columnCount + column] ?? 0;
        if (other > score || (other === score && column < label)) ahead += 1;
      }
      return Number(ahead < k);
    },
  });
}

/** Fraction of rows with every label right. */
export const subsetAccuracy: MeanMetric = {
  kind: "mean",
  name: "accuracy",
  aliases: ["accuracyScore", "subsetAccuracy", "exactMatch"],
  task: "multilabel",
  mode: "max",
  range: [0, 1],
  needsProbabilities: false,
  isProportion: true,
  record: labelRecord,
  rowValues: ({ rowCount, width, values }) =>
    Float64Array.from({ length: rowCount }, (_, row) =>
      Number(values.subarray(row * width, (row + 1) * width).every(isRight)),
    ),
};

/** Fraction of labels that are wrong. */
export const labelHammingLoss: MeanMetric = {
  kind: "mean",
  name: "hammingLoss",
  aliases: [],
  task: "multilabel",
  mode: "min",
  range: [0, 1],
  needsProbabilities: false,
  isProportion: false,
  record: labelRecord,
  rowValues: ({ rowCount, width, values }) =>
    Float64Array.from({ length: rowCount }, (_, row) => {
      let wrong = 0;
      for (let index = row * width; index < (row + 1) * width; index++) wrong += Number(!isRight(values[index] ?? 0));
      return wrong / width;
    }),
};

function isRight(code: number): boolean {
  return code === 0 || code === 3;
}
