import type { MetricEstimate, MetricMode } from "@ckpt/manifest";

import type { Statistic } from "../statistics/resample.js";
import type { Task } from "../task.js";
import type { KeptRows, RowRecord } from "./kept-rows.js";

/** Consecutive rows as the metrics see them. */
export interface ScoredRows {
  readonly rowCount: number;
  /** Values per row: classes, labels of a multilabel task, regression targets; of sequences the classes per position. */
  readonly columnCount: number;
  /**
   * `[rows, columns]`, of sequences `[rows, positions, columns]`. A binary output of one probability p is here as the
   * two classes 1 - p and p.
   */
  readonly predictions: Float32Array;
  /**
   * Class indices `[rows]`, all below `columnCount`; 0 or 1 for each label `[rows, columns]`; regression targets
   * `[rows, columns]`; or class indices `[rows, positions]`, where a negative one is padding and does not count.
   */
  readonly labels: Int32Array | Float32Array;
  /** `[rows]`, not negative. Default: 1 each. */
  readonly weights?: Float64Array;
  /** `[rows]`: rows of one number belong together and are resampled together. Default: every row by itself. */
  readonly groups?: Int32Array;
}

/**
 * A computation over rows that come in pieces. The result does not depend on where the pieces are cut: `update` of
 * two pieces is `update` of both at once, and `merge` of two states is the state of the left rows, then the right.
 */
export interface Accumulator<State, Result> {
  init(columnCount: number): State;
  /** Adds rows to `state`, in place. */
  update(state: State, rows: ScoredRows): void;
  merge(left: State, right: State): State;
  finalize(state: State): Result;
}

/** A metric's name, what it is for, and which direction is better. */
export interface MetricHeader {
  /** scikit-learn's name in camelCase, with `@` and the option where that is not the default. */
  readonly name: string;
  /** Other names that are accepted; snake_case is understood without being listed. */
  readonly aliases: readonly string[];
  readonly task: Task["kind"];
  readonly mode: MetricMode;
  /** Smallest and largest possible value. */
  readonly range: readonly [number, number];
  /** Whether every row of the predictions has to be a probability distribution; of multilabel, every value one. */
  readonly needsProbabilities: boolean;
  /** Why there is no value, when there is none. */
  readonly undefinedBecause?: string;
}

/** A mean over rows: the kind that a race can be run on, if its range, which every row keeps to, is closed. */
export interface MeanMetric extends MetricHeader {
  readonly kind: "mean";
  readonly record: RowRecord;
  /** Whether every row adds 0 or 1, so that Wilson's interval holds. */
  readonly isProportion: boolean;
  /** `[rows]`: what each row adds. */
  rowValues(rows: KeptRows): Float64Array;
}

/** A function of all rows and their weights. */
export interface StatisticMetric extends MetricHeader {
  readonly kind: "statistic";
  readonly record: RowRecord;
  /** False when resampling says nothing about it, as of a maximum. */
  readonly hasInterval: boolean;
  /** Does once what does not depend on the weights, such as sorting. */
  prepare(rows: KeptRows): Statistic;
}

/** A metric that keeps what it wants of the rows, and gives its own interval if it has one. */
export interface AccumulatorMetric<State = unknown> extends MetricHeader, Accumulator<State, MetricEstimate> {
  readonly kind: "accumulator";
}

/** A metric, and how it is computed. */
export type Metric = MeanMetric | StatisticMetric | AccumulatorMetric;
