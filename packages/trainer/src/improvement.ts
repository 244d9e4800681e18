import { compareMetric } from "@ckpt/manifest";

import { type Monitor, type MonitorOptions, resolveMonitor } from "./metric-mode.js";
import type { Moment } from "./moment.js";
import { requireNumber } from "./require-number.js";

/** The metric that has to improve, its direction, and what counts as an improvement. */
export interface ImprovementOptions extends MonitorOptions {
  /**
   * How much better than the value to beat a value has to be: more than this in the metric's own unit, or more than
   * `relative` times the size of the value to beat. Default: 0, any improvement.
   */
  readonly minDelta?: number | { readonly relative: number };
  /** The value to beat, by more than `minDelta`, as long as there is no best. Default: none, any finite value is better. */
  readonly baseline?: number;
  /**
   * Up to and including this step nothing is an improvement or becomes the best; values go into the moving average all
   * the same. Default: 0.
   */
  readonly warmUpSteps?: number;
  /**
   * Compares a moving average in place of the value: `s * average + (1 - s) * value` with this `s`, from the first finite
   * value on. Values that are not finite are left out of it. Default: 0, the value itself.
   */
  readonly smoothing?: number;
}

/** What a tracker remembers. */
export type ImprovementState = {
  /** The best value taken so far; smoothed, if the tracker smooths. */
  readonly best: number | null;
  /** The moving average of the finite values so far. */
  readonly average: number | null;
  /** The last step at which the metric was measured; -1 before the first. */
  readonly step: number;
};

/** What one moment says about the metric. */
export interface ImprovementReading {
  /** The metric is there, for the first time at this step, and the warm-up is over. */
  readonly isCounted: boolean;
  /** The value, smoothed if the tracker smooths, beats the best so far or, before there is one, the baseline. */
  readonly isImproved: boolean;
}

/** Watches one metric for improvements. A pure value, like the policies made of it. */
export interface ImprovementTracker {
  readonly monitor: Monitor;
  /** In words: direction, and every option that is not at its default. */
  readonly description: string;
  readonly initialState: ImprovementState;
  read(moment: Moment, state: ImprovementState): ImprovementReading;
  /** The state after `moment`, whose value becomes the best if `isTaken` and it is better than the best so far at all. */
  advance(moment: Moment, isTaken: boolean, state: ImprovementState): ImprovementState;
}

/**
 * Makes a tracker. The first finite value is an improvement, if it beats the baseline; NaN and the infinities never are;
 * an equal value is not. A metric counts once a step: a second moment at the same step sees the average it was left at.
 *
 * @throws {CkptError} INVALID_OPTION when an option is out of its range, or `mode` is left out for an unknown metric.
 */
export function createImprovementTracker(options: ImprovementOptions): ImprovementTracker {
  const { minDelta = 0, baseline, warmUpSteps = 0, smoothing = 0 } = options;
  const isRelative = typeof minDelta !== "number";
  const delta = isRelative ? minDelta.relative : minDelta;
  requireNumber("minDelta", delta, "a finite number of at least 0", (value) => value >= 0);
  if (baseline !== undefined) requireNumber("baseline", baseline, "a finite number");
  requireNumber("warmUpSteps", warmUpSteps, "an integer of at least 0", (n) => Number.isSafeInteger(n) && n >= 0);
  requireNumber("smoothing", smoothing, "a number from 0 to below 1", (value) => value >= 0 && value < 1);
  const resolved = resolveMonitor(options);
  const { monitor, mode } = resolved;

  const toBeat = ({ best }: ImprovementState): number | undefined => best ?? baseline;
  const averageAfter = ({ step, metrics }: Moment, state: ImprovementState): number | null => {
    const value = metrics[monitor] ?? Number.NaN;
    if (step <= state.step || !Number.isFinite(value)) return state.average;
    return state.average === null ? value : smoothing * state.average + (1 - smoothing) * value;
  };
  const valueAt = (moment: Moment, state: ImprovementState): number =>
    Number.isFinite(moment.metrics[monitor]) ? (averageAfter(moment, state) ?? Number.NaN) : Number.NaN;
  const isBeaten = (bar: number | undefined, value: number): boolean => {
    if (!Number.isFinite(value)) return false;
    if (bar === undefined) return true;
    return (mode === "min" ? bar - value : value - bar) > (isRelative ? delta * Math.abs(bar) : delta);
  };

  return {
    monitor: resolved,
    description: [
      mode,
      ...(delta === 0 ? [] : [`by more than ${delta}${isRelative ? " times the size of the value to beat" : ""}`]),
      ...(baseline === undefined ? [] : [`baseline ${baseline}`]),
      ...(warmUpSteps === 0 ? [] : [`after step ${warmUpSteps}`]),
      ...(smoothing === 0 ? [] : [`smoothed by ${smoothing}`]),
    ].join(", "),
    initialState: { best: null, average: null, step: -1 },
    read: (moment, state) => {
      const isWarm = moment.step > warmUpSteps;
      return {
        isCounted: isWarm && moment.metrics[monitor] !== undefined && moment.step > state.step,
        isImproved: isWarm && isBeaten(toBeat(state), valueAt(moment, state)),
      };
    },
    advance: (moment, isTaken, state) => {
      if (moment.metrics[monitor] === undefined) return state;
      const value = valueAt(moment, state);
      const bar = toBeat(state) ?? Number.NaN;
      const isBest =
        isTaken && moment.step > warmUpSteps && Number.isFinite(value) && compareMetric(value, bar, mode) < 0;
      return {
        best: isBest ? value : state.best,
        average: averageAfter(moment, state),
        step: Math.max(state.step, moment.step),
      };
    },
  };
}
