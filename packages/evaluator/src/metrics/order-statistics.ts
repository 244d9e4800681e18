import type { StatisticMetric } from "./metric.js";
import { averageColumns, mapColumn, targetRecord } from "./target-record.js";

const header = {
  kind: "statistic",
  task: "regression",
  needsProbabilities: false,
  record: targetRecord,
  hasInterval: true,
} as const;

/** Median size of the errors of each target, averaged over the targets; between the two in the middle, their mean. */
export const medianAbsoluteError: StatisticMetric = {
  ...header,
  name: "medianAbsoluteError",
  aliases: ["medae"],
  mode: "min",
  range: [0, Infinity],
  prepare: (rows) => {
    const columns = Array.from({ length: rows.columnCount }, (_, column) => {
      const errors = mapColumn(rows, column, (predicted, target) => Math.abs(predicted - target));
      return { errors, order: sortRows(errors) };
    });
    return (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return averageColumns(columns.length, (column) => {
        const { errors, order } = columns[column] ?? { errors: weights, order: new Uint32Array() };
        return weightedMedian(errors, order, weights, total);
      });
    };
  },
};

/** Linear correlation of predictions and targets, averaged over the targets. */
export const pearson: StatisticMetric = {
  ...header,
  name: "pearson",
  aliases: ["pearsonCorrcoef", "pearsonr"],
  mode: "max",
  range: [-1, 1],
  undefinedBecause: "predictions or targets are constant",
  prepare: (rows) => {
    const columns = Array.from({ length: rows.columnCount }, (_, column) => ({
      predictions: mapColumn(rows, column, (predicted) => predicted),
      targets: mapColumn(rows, column, (_predicted, target) => target),
    }));
    return (weights) =>
      averageColumns(columns.length, (column) => {
        const { predictions, targets } = columns[column] ?? { predictions: weights, targets: weights };
        return correlate(predictions, targets, weights);
      });
  },
};

/** Correlation of the ranks of predictions and targets, equal values at their mean rank, averaged over the targets. */
export const spearman: StatisticMetric = {
  ...header,
  name: "spearman",
  aliases: ["spearmanCorrcoef", "spearmanr"],
  mode: "max",
  range: [-1, 1],
  undefinedBecause: "predictions or targets are constant",
  prepare: (rows) => {
    const columns = Array.from({ length: rows.columnCount }, (_, column) =>
      [mapColumn(rows, column, (predicted) => predicted), mapColumn(rows, column, (_predicted, target) => target)].map(
        (values) => ({ values, order: sortRows(values), ranks: new Float64Array(rows.rowCount) }),
      ),
    );
    return (weights) =>
      averageColumns(columns.length, (column) => {
        const [predictions, targets] = (columns[column] ?? []).map(({ values, order, ranks }) => {
          writeRanks(values, order, weights, ranks);
          return ranks;
        });
        return correlate(predictions ?? weights, targets ?? weights, weights);
      });
  },
};

function sortRows(values: Float64Array): Uint32Array {
  return Uint32Array.from(values, (_, row) => row).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
}

/** Where half of the weight lies below; the mean of two values when it does exactly. */
function weightedMedian(values: Float64Array, order: Uint32Array, weights: Float64Array, total: number): number {
  let below = 0;
  let lower: number | undefined;
  for (const row of order) {
    const weight = weights[row] ?? 0;
    if (weight === 0) continue;
    const value = values[row] ?? 0;
    if (lower !== undefined) return (lower + value) / 2;
    below += weight;
    if (below > total / 2) return value;
    if (below === total / 2) lower = value;
  }
  return lower ?? NaN;
}

/** A row's rank is the weight below it and half of what is equal: for weights of 1 that is the mean rank, less 1/2. */
function writeRanks(values: Float64Array, order: Uint32Array, weights: Float64Array, ranks: Float64Array): void {
  let below = 0;
  for (let start = 0; start < order.length;) {
    const value = values[order[start] ?? 0] ?? 0;
    let end = start;
    let tied = 0;
    for (; end < order.length && values[order[end] ?? 0] === value; end++) tied += weights[order[end] ?? 0] ?? 0;
    for (; start < end; start++) ranks[order[start] ?? 0] = below + tied / 2;
    below += tied;
  }
}

function correlate(left: Float64Array, right: Float64Array, weights: Float64Array): number {
  let [total, leftSum, rightSum] = [0, 0, 0];
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    total += weight;
    leftSum += weight * (left[row] ?? 0);
    rightSum += weight * (right[row] ?? 0);
  }
  const [leftMean, rightMean] = [leftSum / total, rightSum / total];
  let [leftSquares, rightSquares, products] = [0, 0, 0];
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    const a = (left[row] ?? 0) - leftMean;
    const b = (right[row] ?? 0) - rightMean;
    leftSquares += weight * a * a;
    rightSquares += weight * b * b;
    products += weight * a * b;
  }
  // A mean that is rounded leaves a constant column a spread of some 1e-16 of its size.
  const isConstant = (squares: number, mean: number): boolean => squares <= 1e-26 * total * mean * mean;
  if (isConstant(leftSquares, leftMean) || isConstant(rightSquares, rightMean)) return NaN;
  return Math.max(-1, Math.min(1, products / Math.sqrt(leftSquares * rightSquares)));
}
