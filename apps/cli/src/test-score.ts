import { type Metric, measureEvaluation } from "@ckpt/evaluator";
import {
  type DataRecord,
  type MetricEstimate,
  type MetricsManifest,
  type RankingManifest,
  readTestReads,
  type Split,
} from "@ckpt/manifest";

import { formatDifference, formatEstimate, formatPercent } from "./format-ranking.js";
import type { ScoredArtifact } from "./stages/evaluate-stage.js";

/** What the pick is worth on rows that nothing was chosen on. */
export interface TestScore {
  readonly metrics: MetricsManifest["metrics"];
  readonly confusion?: MetricsManifest["confusion"];
  readonly slices?: MetricsManifest["slices"];
  readonly worstSlices?: MetricsManifest["worstSlices"];
  readonly failure?: string;
  /** How many artifacts have been scored on these rows. */
  readonly reads: number;
  /** Coverage of the intervals: 0.95, and after n reads 1 - 0.05/n. */
  readonly confidence: number;
  /** How much better the primary metric looked on the rows the pick was chosen by. */
  readonly optimism?: number;
}

/** Coverage of each interval so that all of `reads` looks at the same rows together have 95 %, by Bonferroni. */
export function confidenceAfter(reads: number): number {
  return 1 - 0.05 / reads;
}

/** The confidence that figures of a split have in a run: of test rows by the reads its ledger has. */
export async function findConfidence(run: string | undefined, split: DataRecord): Promise<number> {
  if (run === undefined || split.role !== "test") return confidenceAfter(1);
  const reads = (await readTestReads(run)).filter((read) => read.split.digest === split.digest);
  return confidenceAfter(Math.max(1, new Set(reads.map((read) => read.artifact.digest)).size));
}

/**
 * The score of the pick on the test split, its intervals as wide as the number of reads demands.
 *
 * @param wanted - The metrics it was scored by. Default: those of the task.
 */
export async function scoreTest(
  { evaluation, metrics: first, testReads = 1 }: ScoredArtifact,
  ranking: RankingManifest,
  wanted?: readonly (string | Metric)[],
): Promise<TestScore> {
  const confidence = confidenceAfter(testReads);
  const { metrics, confusion, slices, worstSlices, failure } =
    testReads === 1 ? first : (await measureEvaluation(evaluation, wanted, { confidence })).metrics;
  const { name, mode } = ranking.metric;
  const chosenBy = ranking.candidates.find(({ id }) => id === ranking.pick?.id)?.metrics[name]?.value ?? NaN;
  const difference = chosenBy - (metrics[name]?.value ?? NaN);
  return {
    metrics,
    ...(confusion === undefined ? {} : { confusion }),
    ...(slices === undefined ? {} : { slices }),
    ...(worstSlices === undefined ? {} : { worstSlices }),
    ...(failure === undefined ? {} : { failure }),
    reads: testReads,
    confidence,
    ...(Number.isFinite(difference) ? { optimism: mode === "max" ? difference : -difference } : {}),
  };
}

/** The score in a line, beside how often the rows were read and how much better the pick looked before. */
export function formatTest({ metrics, failure, reads, confidence, optimism }: TestScore, split: Split): string {
  const figures = Object.entries(metrics).map(([name, estimate]) => formatFigure(name, estimate));
  const level = reads === 1 ? "" : `, intervals at ${formatPercent(confidence)}`;
  return (
    `test ${failure ?? figures.join(", ")} on ${split.rowCount} rows nothing was chosen on; ` +
    `test set read ${reads} time${reads === 1 ? "" : "s"}${level}${formatOptimism(optimism)}\n`
  );
}

/** What stands in the place of a test score where there are no test rows. */
export function formatCorrected({ corrected, metric, candidates, pick }: RankingManifest): string {
  if (corrected === undefined) return "";
  const chosenBy = candidates.find(({ id }) => id === pick?.id)?.metrics[metric.name]?.value ?? NaN;
  const difference = chosenBy - corrected.value;
  return (
    `no test split; estimated by bootstrap bias correction: ${formatFigure(metric.name, corrected)}` +
    `${formatOptimism(metric.mode === "max" ? difference : -difference)}\n`
  );
}

function formatFigure(name: string, estimate: MetricEstimate): string {
  return [name, ...formatEstimate(estimate)].join(" ").trim();
}

function formatOptimism(optimism: number | undefined): string {
  return optimism === undefined ? "" : `; selection optimism ${formatDifference({ value: optimism })[0]}`;
}
