import { isCkptError, type Split } from "@ckpt/manifest";

import type { Metric } from "../metrics/metric.js";
import { defaultMetrics, resolveMetric } from "../metrics/registry.js";
import type { PreparedEvaluation } from "../prepare-evaluation.js";
import type { RankArtifactsOptions } from "../rank-artifacts.js";
import { describeLabels, describeTask } from "../task.js";
import { type BoundedMetric, boundMetric } from "./row-losses.js";

/** What is raced by, and what predictions have to be fit for; or why there can be no race. */
export type RaceMetric =
  | { readonly metric: BoundedMetric; readonly metrics: readonly Metric[] }
  | { readonly obstacle: string };

/** Of a ranking, what decides whether candidates can be raced for it. */
export type RaceRequest = Pick<RankArtifactsOptions, "metric" | "metrics" | "constraints" | "weights">;

/**
 * Tells whether the best of a ranking can be found by a race, whose losers are known by the metric alone.
 *
 * @param artifacts - That could be prepared; the task is that of the first.
 * @throws {CkptError} METRIC_NOT_FOUND; what `split.read` throws.
 */
export async function chooseRaceMetric(
  artifacts: readonly PreparedEvaluation[],
  split: Split,
  { metric: wanted, metrics, constraints = [], weights }: RaceRequest,
): Promise<RaceMetric> {
  const [first] = artifacts;
  if (first === undefined) return { obstacle: "none of the artifacts can be run" };
  if (constraints.length > 0) {
    return { obstacle: "who breaks a constraint is only known of artifacts that were scored on all rows" };
  }
  if (weights !== undefined) return { obstacle: "rows have weights, and a race takes them all alike" };
  if (typeof wanted === "object") {
    return { obstacle: `${wanted.name} is a metric of your own, which a stored race knows by its name alone` };
  }
  const task = await findTask(first, split);
  if (task === undefined)
    return { obstacle: `the labels of split ${split.name} do not fit output ${first.output.name}` };
  const primary = resolveMetric(wanted ?? defaultMetrics[task][0] ?? "", task);
  const metric = boundMetric(primary);
  if (metric === undefined) return { obstacle: `${primary.name} is no mean over rows of values within bounds` };
  const others = (metrics ?? defaultMetrics[task]).map((entry) => resolveMetric(entry, task));
  return { metric, metrics: [metric, ...others] };
}

async function findTask({ artifact, output }: PreparedEvaluation, split: Split): Promise<Metric["task"] | undefined> {
  const { labels } = await split.read(0, 1);
  try {
    return describeTask(artifact.path, output, describeLabels(labels), split.classes).kind;
  } catch (error) {
    if (isCkptError(error, "SIGNATURE_MISMATCH")) return undefined;
    throw error;
  }
}
