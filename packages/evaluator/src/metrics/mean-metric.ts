import { recordValue } from "./kept-rows.js";
import type { MeanMetric, MetricHeader, ScoredRows } from "./metric.js";

/** What one row adds to a metric that is a mean over rows. */
export interface MeanMetricDefinition extends MetricHeader {
  /** Whether every row adds 0 or 1. Default: false. */
  readonly isProportion?: boolean;
  readonly scoreRow: (rows: ScoredRows, row: number) => number;
}

/** Makes a metric of a value per row: their weighted mean. Keeps 8 bytes a row, of a proportion 1. */
export function createMeanMetric({ scoreRow, isProportion = false, ...header }: MeanMetricDefinition): MeanMetric {
  return {
    ...header,
    kind: "mean",
    isProportion,
    record: recordValue(isProportion ? "uint8" : "float64", scoreRow),
    rowValues: ({ values }) => (values instanceof Float64Array ? values : Float64Array.from(values)),
  };
}
