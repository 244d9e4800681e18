import { createMeanMetric } from "./mean-metric.js";
import type { MeanMetric } from "./metric.js";

const header = { name: "brierScore", aliases: ["brierScoreLoss"], mode: "min", needsProbabilities: true } as const;

/**
 * Mean squared error of the probabilities: of class 1 where there are two classes, from 0 to 1; the sum over all
 * classes where there are more, from 0 to 2, as in scikit-learn >= 1.7.
 */
export const brierScore: MeanMetric = createMeanMetric({
  ...header,
  task: "classification",
  range: [0, 2],
  scoreRow: ({ predictions, labels, columnCount }, row) => {
    let sum = 0;
    for (let column = columnCount === 2 ? 1 : 0; column < columnCount; column++) {
      sum += ((predictions[row * columnCount + column] ?? 0) - Number(labels[row] === column)) ** 2;
    }
    return sum;
  },
});

/** Mean over rows and labels of the squared error of the probability. */
export const labelBrierScore: MeanMetric = createMeanMetric({
  ...header,
  task: "multilabel",
  range: [0, 1],
  scoreRow: ({ predictions, labels, columnCount }, row) => {
    let sum = 0;
    for (let index = row * columnCount; index < (row + 1) * columnCount; index++) {
      sum += ((predictions[index] ?? 0) - (labels[index] ?? 0)) ** 2;
    }
    return sum / columnCount;
  },
});
