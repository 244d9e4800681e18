import { CkptError, type MetricEstimate } from "@ckpt/manifest";

import { estimateIntervals, type Subject } from "../statistics/estimate.js";
import type { Statistic } from "../statistics/resample.js";
import { type Sample, weightsOf } from "../statistics/units.js";
import { weightedMean } from "../statistics/weighted-mean.js";
import { wilsonInterval } from "../statistics/wilson-interval.js";
import { joinRows, type KeptRows, type RecordValues, recordRows, type RowRecord, selectRows } from "./kept-rows.js";
import type { AccumulatorMetric, MeanMetric, Metric, ScoredRows, StatisticMetric } from "./metric.js";

/**
 * What several metrics have taken in so far: plain data, in the order of the metrics. Structured cloning carries it to
 * another thread.
 */
export interface Measurement {
  readonly columnCount: number;
  rowCount: number;
  /** For each record that the metrics keep, the pieces in the order of the rows. */
  readonly records: RecordValues[][];
  readonly weights: Float64Array[];
  readonly groups: Int32Array[];
  /** States of the metrics that accumulate by themselves. */
  readonly states: readonly unknown[];
}

/** Metrics that have a value, and why the others have none. */
export interface MeasuredMetrics {
  readonly metrics: Readonly<Record<string, MetricEstimate>>;
  readonly notDefined: Readonly<Record<string, string>>;
}

/** All the rows that metrics were computed from, to compute more of them. */
export interface MeasuredRows {
  readonly sample: Sample;
  /** What a metric keeps of the rows; metrics share what is the same. */
  recordOf(record: RowRecord): KeptRows;
}

/** Rows of some metrics, as one accumulator: what they share is kept once. */
export function initMeasurement(metrics: readonly Metric[], columnCount: number): Measurement {
  return {
    columnCount,
    rowCount: 0,
    records: listRecords(metrics).map(() => []),
    weights: [],
    groups: [],
    states: listAccumulators(metrics).map((metric) => metric.init(columnCount)),
  };
}

/** Adds rows to a measurement, in place. Rows have weights all or none, and groups all or none. */
export function updateMeasurement(metrics: readonly Metric[], state: Measurement, rows: ScoredRows): void {
  for (const [index, metric] of listAccumulators(metrics).entries()) metric.update(state.states[index], rows);
  for (const [index, record] of listRecords(metrics).entries()) state.records[index]?.push(recordRows(record, rows));
  if (rows.weights !== undefined) state.weights.push(rows.weights);
  if (rows.groups !== undefined) state.groups.push(rows.groups);
  state.rowCount += rows.rowCount;
}

/** The measurement of the left rows, then the right. */
export function mergeMeasurements(metrics: readonly Metric[], left: Measurement, right: Measurement): Measurement {
  return {
    columnCount: left.columnCount,
    rowCount: left.rowCount + right.rowCount,
    records: left.records.map((parts, index) => [...parts, ...(right.records[index] ?? [])]),
    weights: [...left.weights, ...right.weights],
    groups: [...left.groups, ...right.groups],
    states: listAccumulators(metrics).map((metric, index) => metric.merge(left.states[index], right.states[index])),
  };
}

/**
 * Value and interval of every metric, the same for every way the rows were cut.
 *
 * @param rows - The measurement's, where they were opened already.
 * @param confidence - Coverage of the intervals. Default: 0.95. What accumulates by itself has its own.
 * @throws {CkptError} INVALID_OPTION when there are no rows.
 */
export function finalizeMeasurement(
  metrics: readonly Metric[],
  state: Measurement,
  rows: MeasuredRows = openMeasurement(metrics, state),
  confidence = 0.95,
): MeasuredMetrics {
  if (state.rowCount === 0) {
    throw new CkptError("INVALID_OPTION", { option: "rows", expected: "at least one", found: "none" });
  }
  const estimates = new Map(estimateMetrics(metrics.filter(isRowMetric), rows, confidence));
  for (const [index, metric] of listAccumulators(metrics).entries()) {
    estimates.set(metric, metric.finalize(state.states[index]));
  }
  return describeEstimates(metrics, estimates);
}

/** The rows of a measurement put together. */
export function openMeasurement(metrics: readonly Metric[], state: Measurement): MeasuredRows {
  const records = listRecords(metrics);
  const kept = records.map((record, index) => joinRows(record, state.columnCount, state.records[index] ?? []));
  return {
    sample: {
      rowCount: state.rowCount,
      ...(state.weights.length === 0 ? {} : { weights: concatenate(Float64Array, state.weights) }),
      ...(state.groups.length === 0 ? {} : { groups: concatenate(Int32Array, state.groups) }),
    },
    recordOf: (record) => {
      const rows = kept[records.indexOf(record)];
      if (rows === undefined) throw new TypeError("a record that was not kept");
      return rows;
    },
  };
}

/** The metrics of some of the rows only. Metrics that accumulate by themselves are left out. */
export function measureSubset(
  metrics: readonly Metric[],
  rows: MeasuredRows,
  indices: Uint32Array,
  confidence = 0.95,
): MeasuredMetrics {
  const { weights, groups } = rows.sample;
  const selected = new Map<RowRecord, KeptRows>();
  const subset: MeasuredRows = {
    sample: {
      rowCount: indices.length,
      ...(weights === undefined ? {} : { weights: Float64Array.from(indices, (row) => weights[row] ?? 0) }),
      ...(groups === undefined ? {} : { groups: Int32Array.from(indices, (row) => groups[row] ?? 0) }),
    },
    recordOf: (record) => {
      const known = selected.get(record) ?? selectRows(rows.recordOf(record), indices);
      selected.set(record, known);
      return known;
    },
  };
  const rowMetrics = metrics.filter(isRowMetric);
  return describeEstimates(rowMetrics, estimateMetrics(rowMetrics, subset, confidence));
}

/** The metric as a function of the rows' weights: what the bootstrap resamples. */
export function prepareStatistic(metric: MeanMetric | StatisticMetric, rows: MeasuredRows): Statistic {
  const kept = rows.recordOf(metric.record);
  if (metric.kind === "statistic") return metric.prepare(kept);
  const values = metric.rowValues(kept);
  return (weights) => weightedMean(values, weights);
}

function estimateMetrics(
  metrics: readonly (MeanMetric | StatisticMetric)[],
  rows: MeasuredRows,
  confidence: number,
): ReadonlyMap<Metric, MetricEstimate> {
  const { sample } = rows;
  const weights = weightsOf(sample);
  const isPlain = sample.weights === undefined && sample.groups === undefined;
  const estimates = new Map<Metric, MetricEstimate>();
  const resampled: { readonly metric: Metric; readonly subject: Subject }[] = [];
  for (const metric of metrics) {
    const rowValues = metric.kind === "mean" ? metric.rowValues(rows.recordOf(metric.record)) : undefined;
    const statistic: Statistic =
      rowValues === undefined ? prepareStatistic(metric, rows) : (weights) => weightedMean(rowValues, weights);
    const value = statistic(weights);
    if (metric.kind === "mean" && metric.isProportion && isPlain) {
      const successes = rowValues?.reduce((sum, row) => sum + row, 0) ?? 0;
      estimates.set(metric, { value, interval: wilsonInterval(successes, sample.rowCount, confidence) });
    } else if (!Number.isFinite(value) || (metric.kind === "statistic" && !metric.hasInterval)) {
      estimates.set(metric, { value });
    } else {
      const subject = { statistic, value, range: metric.range, ...(rowValues === undefined ? {} : { rowValues }) };
      resampled.push({ metric, subject });
    }
  }
  const intervals = estimateIntervals(
    resampled.map(({ subject }) => subject),
    sample,
    confidence,
  );
  for (const [index, { metric, subject }] of resampled.entries()) {
    const { value } = subject;
    const interval = intervals[index];
    estimates.set(metric, interval === undefined ? { value } : { value, interval });
  }
  return estimates;
}

function describeEstimates(
  metrics: readonly Metric[],
  estimates: ReadonlyMap<Metric, MetricEstimate>,
): MeasuredMetrics {
  const defined: Record<string, MetricEstimate> = {};
  const notDefined: Record<string, string> = {};
  for (const metric of metrics) {
    const estimate = estimates.get(metric);
    if (estimate !== undefined && Number.isFinite(estimate.value)) defined[metric.name] = estimate;
    else notDefined[metric.name] = metric.undefinedBecause ?? `it is ${estimate?.value ?? NaN}`;
  }
  return { metrics: defined, notDefined };
}

function isRowMetric(metric: Metric): metric is MeanMetric | StatisticMetric {
  return metric.kind !== "accumulator";
}

function listRecords(metrics: readonly Metric[]): readonly RowRecord[] {
  return [...new Set(metrics.filter(isRowMetric).map((metric) => metric.record))];
}

function listAccumulators(metrics: readonly Metric[]): readonly AccumulatorMetric[] {
  return metrics.filter((metric) => metric.kind === "accumulator");
}

function concatenate<T extends Float64Array | Int32Array>(make: new (length: number) => T, parts: readonly T[]): T {
  const whole = new make(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
