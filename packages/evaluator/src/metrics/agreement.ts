import { type ClassCounts, classRecord, countClasses } from "./class-record.js";
import type { MetricHeader, StatisticMetric } from "./metric.js";

function createCountMetric(
  header: Omit<MetricHeader, "task" | "mode" | "needsProbabilities">,
  score: (counts: ClassCounts) => number,
): StatisticMetric {
  return {
    ...header,
    kind: "statistic",
    task: "classification",
    mode: "max",
    needsProbabilities: false,
    record: classRecord,
    hasInterval: true,
    prepare: (rows) => (weights) => score(countClasses(rows, weights)),
  };
}

/** Mean recall of the classes that have rows. */
export const balancedAccuracy: StatisticMetric = createCountMetric(
  { name: "balancedAccuracy", aliases: ["balancedAccuracyScore"], range: [0, 1] },
  ({ hit, actual }) => {
    let sum = 0;
    let count = 0;
    for (const [index, weight] of actual.entries()) {
      if (weight === 0) continue;
      sum += (hit[index] ?? 0) / weight;
      count += 1;
    }
    return sum / count;
  },
);

/**
 * Correlation of labels and predicted classes; 0 when either is one class only.
 * Reference: J. Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient (2004).
 */
export const matthewsCorrcoef: StatisticMetric = createCountMetric(
  { name: "matthewsCorrcoef", aliases: ["mcc"], range: [-1, 1] },
  (counts) => {
    const { hits, chance, predictedSquares, actualSquares, total } = summarize(counts);
    const spread = (total ** 2 - predictedSquares) * (total ** 2 - actualSquares);
    return spread === 0 ? 0 : (hits * total - chance) / Math.sqrt(spread);
  },
);

/** Agreement beyond chance, unweighted. Not defined when labels and predictions are all of one class. */
export const cohenKappa: StatisticMetric = createCountMetric(
  {
    name: "cohenKappa",
    aliases: ["cohenKappaScore"],
    range: [-1, 1],
    undefinedBecause: "labels and predictions are all of one class",
  },
  (counts) => {
    const { hits, chance, total } = summarize(counts);
    const expected = chance / total ** 2;
    return expected === 1 ? NaN : (hits / total - expected) / (1 - expected);
  },
);

function summarize({ hit, predicted, actual, total }: ClassCounts): {
  readonly hits: number;
  readonly chance: number;
  readonly predictedSquares: number;
  readonly actualSquares: number;
  readonly total: number;
} {
  let [hits, chance, predictedSquares, actualSquares] = [0, 0, 0, 0];
  for (const [index, weight] of actual.entries()) {
    hits += hit[index] ?? 0;
    chance += weight * (predicted[index] ?? 0);
    predictedSquares += (predicted[index] ?? 0) ** 2;
    actualSquares += weight ** 2;
  }
  return { hits, chance, predictedSquares, actualSquares, total };
}
