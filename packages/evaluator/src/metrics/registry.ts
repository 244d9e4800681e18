import { CkptError } from "@ckpt/manifest";

import type { Task } from "../task.js";
import { accuracy } from "./accuracy.js";
import { logLoss } from "./log-loss.js";
import type { Metric } from "./metric.js";
import { mae, mse } from "./regression.js";

/** All metrics there are. */
export const metrics: readonly Metric[] = [accuracy, logLoss, mse, mae];

/** What is computed of a task when nothing is asked for; the first one ranks. */
export const defaultMetrics: Readonly<Record<Task["kind"], readonly string[]>> = {
  classification: ["accuracy", "logLoss"],
  regression: ["mse", "mae"],
};

/**
 * Finds a metric by its name or an alias.
 *
 * @param task - Leaves only the metrics for this task, if given.
 * @throws {CkptError} METRIC_NOT_FOUND with the names there are.
 */
export function findMetric(name: string, task?: Task["kind"]): Metric {
  const candidates = metrics.filter((metric) => task === undefined || metric.task === task);
  const found = candidates.find((metric) => metric.name === name || metric.aliases.includes(name));
  if (found === undefined) {
    throw new CkptError("METRIC_NOT_FOUND", { metric: name, available: candidates.map((metric) => metric.name) });
  }
  return found;
}
