import { createMeanMetric } from "./mean-metric.js";
import type { Metric } from "./metric.js";

/** Probabilities are clipped to [eps, 1 - eps] with float32's machine epsilon, as scikit-learn does for float32. */
const epsilon = 2 ** -23;

/**
 * Mean of -ln p of the label's class, in nats. As scikit-learn >= 1.5: clipped, and not renormalised. Reference:
 * https://scikit-learn.org/stable/modules/model_evaluation.html#log-loss
 */
export const logLoss: Metric<Float64Array[]> = createMeanMetric({
  name: "logLoss",
  aliases: ["log_loss"],
  task: "classification",
  mode: "min",
  range: [0, -Math.log(epsilon)],
  needsProbabilities: true,
  scoreRow: ({ predictions, labels, columnCount }, row) => {
    const probability = predictions[row * columnCount + (labels[row] ?? 0)] ?? 0;
    return -Math.log(Math.min(Math.max(probability, epsilon), 1 - epsilon));
  },
});
