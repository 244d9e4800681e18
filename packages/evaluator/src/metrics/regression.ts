import { weightedMean } from "../statistics/weighted-mean.js";
import type { MeanMetric, StatisticMetric } from "./metric.js";
import { averageColumns, createErrorMetric, mapColumn, targetRecord } from "./target-record.js";

/** Below this a target counts as this much in `mape`: float64's machine epsilon, as in scikit-learn. */
const smallestTarget = 2 ** -52;
/** Below this the two sizes count as this much in `smape`, as in torchmetrics. */
const smallestSizes = 1.17e-6;

/** Mean squared error over rows and targets. */
export const mse: MeanMetric = createErrorMetric(
  { name: "mse", aliases: ["meanSquaredError"], range: [0, Infinity] },
  (predicted, target) => (predicted - target) ** 2,
);

/** Mean absolute error over rows and targets. */
export const mae: MeanMetric = createErrorMetric(
  { name: "mae", aliases: ["meanAbsoluteError"], range: [0, Infinity] },
  (predicted, target) => Math.abs(predicted - target),
);

/** Mean of the errors' sizes relative to the target's; 1 is 100 %. */
export const mape: MeanMetric = createErrorMetric(
  { name: "mape", aliases: ["meanAbsolutePercentageError"], range: [0, Infinity] },
  (predicted, target) => Math.abs(predicted - target) / Math.max(Math.abs(target), smallestTarget),
);

/** Mean of twice the error's size over the sum of both sizes, as in torchmetrics. */
export const smape: MeanMetric = createErrorMetric(
  { name: "smape", aliases: ["symmetricMeanAbsolutePercentageError"], range: [0, 2] },
  (predicted, target) =>
    (2 * Math.abs(predicted - target)) / Math.max(Math.abs(predicted) + Math.abs(target), smallestSizes),
);

/** Mean loss of predicting the quantile `level`: an error below costs `level` times its size, above `1 - level`. */
export function createPinball(level: number, option: string): MeanMetric {
  return createErrorMetric(
    { name: `pinball${option}`, aliases: [`meanPinballLoss${option}`, `pinballLoss${option}`], range: [0, Infinity] },
    (predicted, target) => Math.max(level * (target - predicted), (level - 1) * (target - predicted)),
  );
}

/** Root of the mean squared error of each target, averaged over the targets. */
export const rmse: StatisticMetric = {
  kind: "statistic",
  name: "rmse",
  aliases: ["rootMeanSquaredError"],
  task: "regression",
  mode: "min",
  range: [0, Infinity],
  needsProbabilities: false,
  record: targetRecord,
  hasInterval: true,
  prepare: (rows) => {
    const squares = Array.from({ length: rows.columnCount }, (_, column) =>
      mapColumn(rows, column, (predicted, target) => (predicted - target) ** 2),
    );
    return (weights) =>
      averageColumns(rows.columnCount, (column) =>
        Math.sqrt(weightedMean(squares[column] ?? new Float64Array(), weights)),
      );
  },
};

/**
 * Share of each target's variance that is explained, averaged over the targets. Of a constant target 1 when every
 * prediction is right, else 0, as in scikit-learn.
 */
export const r2: StatisticMetric = {
  kind: "statistic",
  name: "r2",
  aliases: ["r2Score"],
  task: "regression",
  mode: "max",
  range: [-Infinity, 1],
  needsProbabilities: false,
  undefinedBecause: "there are less than two rows",
  record: targetRecord,
  hasInterval: true,
  prepare: (rows) => {
    const columns = Array.from({ length: rows.columnCount }, (_, column) => ({
      targets: mapColumn(rows, column, (_predicted, target) => target),
      squares: mapColumn(rows, column, (predicted, target) => (predicted - target) ** 2),
    }));
    const spread = new Float64Array(rows.rowCount);
    return (weights) => {
      if (rows.rowCount < 2) return NaN;
      return averageColumns(rows.columnCount, (column) => {
        const { targets, squares } = columns[column] ?? { targets: spread, squares: spread };
        const mean = weightedMean(targets, weights);
        for (let row = 0; row < spread.length; row++) spread[row] = ((targets[row] ?? 0) - mean) ** 2;
        const error = weightedMean(squares, weights);
        const variance = weightedMean(spread, weights);
        if (variance === 0) return error === 0 ? 1 : 0;
        return 1 - error / variance;
      });
    };
  },
};

/** Largest error of any row and target. It has no interval: resampling says nothing about a maximum. */
export const maxError: StatisticMetric = {
  kind: "statistic",
  name: "maxError",
  aliases: [],
  task: "regression",
  mode: "min",
  range: [0, Infinity],
  needsProbabilities: false,
  record: targetRecord,
  hasInterval: false,
  prepare: (rows) => {
    const columns = Array.from({ length: rows.columnCount }, (_, column) =>
      mapColumn(rows, column, (predicted, target) => Math.abs(predicted - target)),
    );
    return (weights) =>
      columns.reduce(
        (largest, errors) =>
          errors.reduce((most, error, row) => ((weights[row] ?? 0) > 0 ? Math.max(most, error) : most), largest),
        0,
      );
  },
};
