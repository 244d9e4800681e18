import type { MetricEstimate, MetricMode } from "@ckpt/manifest";

import type { Task } from "../task.js";

/** Consecutive rows as the metrics see them. */
export interface ScoredRows {
  readonly rowCount: number;
  /** Values per row: classes, or regression targets. */
  readonly columnCount: number;
  /** `[rows, columns]`. A binary output of one probability p is here as the two classes 1 - p and p. */
  readonly predictions: Float32Array;
  /** Class indices `[rows]`, all below `columnCount`, or regression targets `[rows, columns]`. */
  readonly labels: Int32Array | Float32Array;
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

/** A metric: its name, what it is for, which direction is better, and how it is computed. */
export interface Metric<State = unknown> extends Accumulator<State, MetricEstimate> {
  /** scikit-learn's name in camelCase. */
  readonly name: string;
  /** Other names that are accepted, scikit-learn's own among them. */
  readonly aliases: readonly string[];
  readonly task: Task["kind"];
  readonly mode: MetricMode;
  /** Smallest and largest possible value. */
  readonly range: readonly [number, number];
  /** Whether every row of the predictions has to be a probability distribution. */
  readonly needsProbabilities: boolean;
}
