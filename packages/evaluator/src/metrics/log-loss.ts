import { createMeanMetric } from "./mean-metric.js";
import type { MeanMetric } from "./metric.js";

/** Probabilities are clipped to [eps, 1 - eps] with float32's machine epsilon, as scikit-learn does for float32. */
const epsilon = 2 ** -23;

/** -ln of a probability that is clipped first, in nats: from 0 to 15.9. */
export function negativeLog(probability: number): number {
  return -Math.log(Math.min(Math.max(probability, epsilon), 1 - epsilon));
}

const header = {
  name: "logLoss",
  aliases: [],
  mode: "min",
  range: [0, -Math.log(epsilon)],
  needsProbabilities: true,
} as const;

/**
 * Mean of -ln p of the label's class, in nats. As scikit-learn >= 1.5: clipped, and not renormalised. Reference:
 * https://scikit-learn.org/stable/modules/model_evaluation.html#log-loss
 */
export const logLoss: MeanMetric = createMeanMetric({
  ...header,
  task: "classification",
  scoreRow: ({ predictions, labels, columnCount }, row) =>
    negativeLog(predictions[row * columnCount + (labels[row] ?? 0)] ?? 0),
});

/** Mean over rows and labels of -ln p, or of -ln(1 - p) where the label is 0. */
export const labelLogLoss: MeanMetric = createMeanMetric({
  ...header,
  task: "multilabel",
  scoreRow: ({ predictions, labels, columnCount }, row) => {
    let sum = 0;
    for (let index = row * columnCount; index < (row + 1) * columnCount; index++) {
      const probability = predictions[index] ?? 0;
      sum += negativeLog(labels[index] === 1 ? probability : 1 - probability);
    }
    return sum / columnCount;
  },
});
