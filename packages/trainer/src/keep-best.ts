import { findBestFew } from "./find-best.js";
import { type MonitorOptions, resolveMonitor } from "./metric-mode.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import type { RetentionPolicy } from "./retention-policy.js";

/**
 * Keeps the `k` checkpoints with the best values of a metric. Of equal values the older is better; a checkpoint where
 * the metric was not measured or is not finite is not among them.
 *
 * @throws {CkptError} INVALID_OPTION when `k` is not a positive integer, or `mode` is left out for an unknown metric.
 */
export function keepBest(k: number, options: MonitorOptions): RetentionPolicy {
  requirePositiveInteger("keepBest", k);
  const monitor = resolveMonitor(options);
  return {
    description: `best ${k} by ${monitor.monitor} (${monitor.mode})`,
    monitors: [monitor],
    select: (checkpoints) => findBestFew(checkpoints, k, monitor).map(({ step }) => step),
  };
}
