import type { MetricEstimate } from "@ckpt/manifest";

import { joinRows, recordRows } from "../metrics/kept-rows.js";
import type { MeanMetric, Metric, ScoredRows } from "../metrics/metric.js";

/** A mean over rows of values from a smallest to a largest one: what a race can be run on. */
export interface BoundedMetric extends MeanMetric {
  /** The difference of both ends of the range: every row's loss is from 0 to this. */
  readonly lossBound: number;
}

/** The metric with the bound of a row's loss; `undefined` when it is no mean over rows or its range is open. */
export function boundMetric(metric: Metric): BoundedMetric | undefined {
  const [low, high] = metric.range;
  return metric.kind === "mean" && Number.isFinite(high - low) ? { ...metric, lossBound: high - low } : undefined;
}

/**
 * What each row adds, as a distance to the best value of the range. What rounding of float32 leaves outside the range is
 * brought into it; NaN stays.
 */
export function computeLosses(metric: BoundedMetric, rows: ScoredRows): Float64Array {
  const [low, high] = metric.range;
  const kept = joinRows(metric.record, rows.columnCount, [recordRows(metric.record, rows)]);
  return metric
    .rowValues(kept)
    .map((value) => Math.min(Math.max(metric.mode === "max" ? high - value : value - low, 0), metric.lossBound));
}

/** The metric of which the mean loss is this share of its bound, with the ends of an interval of such shares. */
export function estimateFromShares(
  metric: BoundedMetric,
  share: number,
  interval: readonly [number, number],
): MetricEstimate {
  const [low, high] = metric.range;
  const valueOf = (lossShare: number): number =>
    metric.mode === "max" ? high - lossShare * metric.lossBound : low + lossShare * metric.lossBound;
  const [first, second] = [valueOf(interval[0]), valueOf(interval[1])];
  return { value: valueOf(share), interval: metric.mode === "max" ? [second, first] : [first, second] };
}
