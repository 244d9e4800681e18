import type { KeptRows, RowRecord } from "./kept-rows.js";
import type { MeanMetric, MetricHeader } from "./metric.js";

/** Predictions, then targets of a row: 8 bytes a target. All regression metrics share it. */
export const targetRecord: RowRecord = {
  dtype: "float32",
  width: (columnCount) => 2 * columnCount,
  write: ({ predictions, labels, columnCount }, row, target, offset) => {
    for (let column = 0; column < columnCount; column++) {
      target[offset + column] = predictions[row * columnCount + column] ?? 0;
      target[offset + columnCount + column] = labels[row * columnCount + column] ?? 0;
    }
  },
};

/** `[rows]`: something of prediction and target, of one column. */
export function mapColumn(
  { rowCount, columnCount, values }: KeptRows,
  column: number,
  score: (predicted: number, target: number) => number,
): Float64Array {
  return Float64Array.from({ length: rowCount }, (_, row) => {
    const start = row * 2 * columnCount + column;
    return score(values[start] ?? 0, values[start + columnCount] ?? 0);
  });
}

/** What a metric is of one target, averaged over the targets, as scikit-learn's `uniform_average`. */
export function averageColumns(columnCount: number, score: (column: number) => number): number {
  let sum = 0;
  for (let column = 0; column < columnCount; column++) sum += score(column);
  return sum / columnCount;
}

/** A mean over rows and targets of something of prediction and target. */
export function createErrorMetric(
  header: Omit<MetricHeader, "task" | "mode" | "needsProbabilities">,
  score: (predicted: number, target: number) => number,
): MeanMetric {
  return {
    ...header,
    kind: "mean",
    task: "regression",
    mode: "min",
    needsProbabilities: false,
    isProportion: false,
    record: targetRecord,
    rowValues: (rows) => {
      const columns = Array.from({ length: rows.columnCount }, (_, column) => mapColumn(rows, column, score));
      return Float64Array.from({ length: rows.rowCount }, (_, row) =>
        averageColumns(rows.columnCount, (column) => columns[column]?.[row] ?? NaN),
      );
    },
  };
}
