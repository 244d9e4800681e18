import { dirname } from "node:path";

import type { EvaluationManifest, MetricEstimate, MetricMode, RankedCandidate } from "@ckpt/manifest";

import { type MeasuredEvaluation, measureRows } from "./compute-metrics.js";
import { createFigureTable } from "./figure-table.js";
import type { Metric } from "./metrics/metric.js";
import { defaultMetrics, resolveMetric } from "./metrics/registry.js";
import { readEvaluation } from "./predictions.js";
import { readScoring, resolveScoring } from "./scoring.js";
import { mcnemar } from "./statistics/mcnemar.js";
import { comparePaired } from "./statistics/paired-difference.js";
import { countDiscordant } from "./statistics/row-hits.js";
import { describeTask } from "./task.js";

/** One metric of two evaluations. */
export interface MetricComparison {
  readonly name: string;
  readonly mode: MetricMode;
  readonly first?: MetricEstimate;
  readonly second?: MetricEstimate;
  /** The first less the second, on the same rows only. */
  readonly difference?: MetricEstimate;
  /** Where rows are right or wrong; this is the first, the pick the second. */
  readonly mcnemar?: RankedCandidate["mcnemar"];
  /** Of the first: by the whole interval of the difference; unknown without one. */
  readonly verdict: "better" | "worse" | "tied" | "unknown";
}

/** Two evaluations beside each other. */
export interface EvaluationComparison {
  /** Whether both are on the same rows, so that differences have an interval. */
  readonly isSameRows: boolean;
  /** Of the first. */
  readonly rowCount: number;
  /** The column that weighs the first's rows. */
  readonly weights?: string;
  /** The column whose equal values belong together in them. */
  readonly groupBy?: string;
  readonly metrics: readonly MetricComparison[];
  /** Why the first or the second could not be scored. */
  readonly failures: readonly string[];
}

/** What is compared, and how sure the intervals are. */
export interface CompareEvaluationsOptions {
  /** Default: the default metrics of the first one's task. */
  readonly metrics?: readonly (string | Metric)[];
  /** Default: 0.95. */
  readonly confidence?: number;
}

/**
 * Compares the stored predictions of two evaluations, which may be of two runs: every metric of both, and where they are on
 * the same rows the paired difference; there rows count in both as is kept beside the first.
 *
 * @param first - An evaluation's folder.
 * @param second - Another one's.
 * @throws {CkptError} What `computeMetrics` throws.
 */
export async function compareEvaluations(
  first: string,
  second: string,
  { metrics: wanted, confidence = 0.95 }: CompareEvaluationsOptions = {},
): Promise<EvaluationComparison> {
  const [own, other] = [await readEvaluation(first), await readEvaluation(second)];
  const task = taskOf(own);
  const metrics = (wanted ?? defaultMetrics[task]).map((metric) => resolveMetric(metric, task));
  const isSameRows = own.split.digest === other.split.digest;
  const { slices: _, ...scoring } = await resolveScoring(first, own, { confidence });
  const otherScoring = isSameRows ? scoring : await resolveScoring(second, other, { confidence });
  const measured = [
    await measureRows(first, own, metrics, scoring),
    await measureRows(second, other, metrics, otherScoring),
  ] as const;
  const { weights, groups } = await readScoring(dirname(first), own.split);
  return {
    isSameRows,
    rowCount: own.split.rowCount,
    ...(weights === undefined ? {} : { weights: weights.column }),
    ...(groups === undefined ? {} : { groupBy: groups.column }),
    metrics: metrics.map((metric) => compareMetrics(metric, measured, isSameRows, confidence)),
    failures: measured.flatMap(({ metrics: { failure } }) => failure ?? []),
  };
}

function compareMetrics(
  metric: Metric,
  [first, second]: readonly [MeasuredEvaluation, MeasuredEvaluation],
  isSameRows: boolean,
  confidence: number,
): MetricComparison {
  const { name, mode } = metric;
  const table = createFigureTable(metric);
  if (isSameRows && first.rows !== undefined && second.rows !== undefined) {
    table.add("first", first.rows);
    table.add("second", second.rows);
  }
  const { resampled, hits: [own, other] = [] } = table.compare(["first", "second"]);
  const paired = resampled && comparePaired(resampled, 0, 1, confidence);
  const difference = paired && Number.isFinite(paired.value) ? toEstimate(paired.value, paired.bca) : undefined;
  const [found, against] = [first.metrics.metrics[name], second.metrics.metrics[name]];
  return {
    name,
    mode,
    ...(found === undefined ? {} : { first: found }),
    ...(against === undefined ? {} : { second: against }),
    ...(difference === undefined ? {} : { difference }),
    ...(own === undefined || other === undefined ? {} : { mcnemar: testHits(countDiscordant(own, other)) }),
    verdict: judge(difference, mode),
  };
}

function taskOf({ artifact, output, labels, classes }: EvaluationManifest): keyof typeof defaultMetrics {
  return describeTask(artifact.id, output, labels, classes).kind;
}

function toEstimate(value: number, interval: readonly [number, number]): MetricEstimate {
  return interval.every(Number.isFinite) ? { value, interval } : { value };
}

function testHits({
  onlyFirst,
  onlySecond,
}: ReturnType<typeof countDiscordant>): NonNullable<RankedCandidate["mcnemar"]> {
  return { onlyThis: onlyFirst, onlyPick: onlySecond, ...mcnemar(onlyFirst, onlySecond) };
}

function judge(difference: MetricEstimate | undefined, mode: MetricMode): MetricComparison["verdict"] {
  const { interval } = difference ?? {};
  if (interval === undefined) return "unknown";
  const [low, high] = mode === "max" ? interval : ([-interval[1], -interval[0]] as const);
  if (low > 0) return "better";
  return high < 0 ? "worse" : "tied";
}
