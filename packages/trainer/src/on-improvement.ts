import { CkptError, compareMetric } from "@ckpt/manifest";

import { type MonitorOptions, resolveMonitor } from "./metric-mode.js";
import type { SavePolicy } from "./save-policy.js";

/** The metric that has to improve, its direction, and by how much. */
export interface OnImprovementOptions extends MonitorOptions {
  /** How much better than the best a value has to be, in the metric's own unit. Default: 0, any improvement. */
  readonly minDelta?: number;
}

/**
 * Saves when the monitored metric is better, by more than `minDelta`, than at the best checkpoint saved so far. The
 * first finite value is an improvement; NaN and the infinities never are; an equal value is not. At a moment where the
 * metric was not measured nothing is saved. The best is the best *saved* one: a value that another policy kept from
 * being saved does not raise the bar.
 *
 * @throws {CkptError} INVALID_OPTION when `minDelta` is negative, or `mode` is left out for an unknown metric.
 */
export function onImprovement(options: OnImprovementOptions): SavePolicy {
  const { minDelta = 0 } = options;
  if (!(minDelta >= 0 && Number.isFinite(minDelta))) {
    throw new CkptError("INVALID_OPTION", {
      option: "minDelta",
      expected: "a finite number of at least 0",
      found: String(minDelta),
    });
  }
  const resolved = resolveMonitor(options);
  const { monitor, mode } = resolved;
  const valueAt = (metrics: Readonly<Record<string, number>>): number => metrics[monitor] ?? Number.NaN;
  return {
    description: `${monitor} improved (${mode}${minDelta === 0 ? "" : `, by more than ${minDelta}`})`,
    monitors: [resolved],
    initialState: null,
    shouldSave: ({ metrics }, best) => {
      const value = valueAt(metrics);
      if (!Number.isFinite(value)) return false;
      if (typeof best !== "number") return true;
      return mode === "min" ? best - value > minDelta : value - best > minDelta;
    },
    advance: ({ metrics }, isSaved, best) => {
      const value = valueAt(metrics);
      if (!isSaved || !Number.isFinite(value)) return best;
      return typeof best === "number" && compareMetric(best, value, mode) <= 0 ? best : value;
    },
  };
}
