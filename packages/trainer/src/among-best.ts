import { compareMetric, type Json } from "@ckpt/manifest";

import { type MonitorOptions, resolveMonitor } from "./metric-mode.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import type { SavePolicy } from "./save-policy.js";

/**
 * Saves when the monitored metric is among the `k` best values saved so far: while fewer than `k` finite values were
 * saved, and then when it is better than the worst of the `k` best, as with Lightning's `save_top_k`. An equal value is
 * not better; NaN and the infinities are never among them. To keep just those, add `keepBest(k, ...)`.
 *
 * @throws {CkptError} INVALID_OPTION when `k` is not a positive integer, or `mode` is left out for an unknown metric.
 */
export function amongBest(k: number, options: MonitorOptions): SavePolicy {
  requirePositiveInteger("amongBest", k);
  const resolved = resolveMonitor(options);
  const { monitor, mode } = resolved;
  return {
    description: `among the best ${k} saved so far by ${monitor} (${mode})`,
    monitors: [resolved],
    initialState: [],
    shouldSave: ({ metrics }, state) => {
      const value = metrics[monitor] ?? Number.NaN;
      if (!Number.isFinite(value)) return false;
      const worst = readBest(state)[k - 1];
      return worst === undefined || compareMetric(value, worst, mode) < 0;
    },
    advance: ({ metrics }, isSaved, state) => {
      const value = metrics[monitor] ?? Number.NaN;
      if (!isSaved || !Number.isFinite(value)) return state;
      return [...readBest(state), value].toSorted((a, b) => compareMetric(a, b, mode)).slice(0, k);
    },
  };
}

/** The best values saved so far, better first. */
function readBest(state: Json): readonly number[] {
  return state as readonly number[];
}
