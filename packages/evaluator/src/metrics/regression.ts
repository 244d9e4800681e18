import { createMeanMetric } from "./mean-metric.js";
import type { Metric, ScoredRows } from "./metric.js";

/** Mean squared error over rows and targets. */
export const mse: Metric<Float64Array[]> = createMeanMetric({
  name: "mse",
  aliases: ["mean_squared_error"],
  task: "regression",
  mode: "min",
  range: [0, Infinity],
  needsProbabilities: false,
  scoreRow: (rows, row) => averageErrors(rows, row, (error) => error * error),
});

/** Mean absolute error over rows and targets. */
export const mae: Metric<Float64Array[]> = createMeanMetric({
  name: "mae",
  aliases: ["mean_absolute_error"],
  task: "regression",
  mode: "min",
  range: [0, Infinity],
  needsProbabilities: false,
  scoreRow: (rows, row) => averageErrors(rows, row, Math.abs),
});

function averageErrors(rows: ScoredRows, row: number, penalty: (error: number) => number): number {
  const { predictions, labels, columnCount } = rows;
  let sum = 0;
  for (let index = row * columnCount; index < (row + 1) * columnCount; index++) {
    sum += penalty((predictions[index] ?? 0) - (labels[index] ?? 0));
  }
  return sum / columnCount;
}
