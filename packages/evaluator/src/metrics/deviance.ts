import type { MeanMetric } from "./metric.js";
import { createErrorMetric } from "./target-record.js";

/**
 * Mean Tweedie deviance of the given power: 0 is the squared error, 1 Poisson's, 2 the gamma distribution's. Not
 * defined when a value is out of the distribution's range: predictions have to be positive, targets too from power 2
 * on, and not negative from power 1.
 * Reference: https://scikit-learn.org/stable/modules/model_evaluation.html#mean-tweedie-deviance
 */
export function createDeviance(name: string, aliases: readonly string[], power: number): MeanMetric {
  return createErrorMetric(
    {
      name,
      aliases,
      range: [0, Infinity],
      undefinedBecause: "a prediction or a target is outside the range of the distribution",
    },
    (predicted, target) => {
      const isOutside = (power !== 0 && predicted <= 0) || (power >= 1 && target < 0) || (power >= 2 && target <= 0);
      return isOutside ? NaN : deviance(predicted, target, power);
    },
  );
}

function deviance(predicted: number, target: number, power: number): number {
  if (power === 0) return (target - predicted) ** 2;
  if (power === 1) return 2 * ((target === 0 ? 0 : target * Math.log(target / predicted)) - target + predicted);
  if (power === 2) return 2 * (Math.log(predicted / target) + target / predicted - 1);
  return (
    2 *
    (Math.max(target, 0) ** (2 - power) / ((1 - power) * (2 - power)) -
      (target * predicted ** (1 - power)) / (1 - power) +
      predicted ** (2 - power) / (2 - power))
  );
}
