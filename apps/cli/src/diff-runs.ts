import { compareEvaluations, type EvaluationComparison, findEvaluation, type MetricComparison } from "@ckpt/evaluator";

import { formatDifference, formatEstimate } from "./format-ranking.js";
import { formatScoring, type ScoredBy } from "./format-scoring.js";
import { findSingleArtifact } from "./single-artifact.js";
import { formatTable, leftColumn, rightColumn } from "./table.js";

/** Two artifacts and what became of them on a split; differences and verdicts are of the second against the first. */
export interface RunDiff extends ScoredBy {
  /** Folders of the artifacts. */
  readonly first: string;
  readonly second: string;
  readonly split: string;
  readonly isSameRows: boolean;
  readonly rowCount: number;
  readonly metrics: readonly MetricComparison[];
  readonly failures: readonly string[];
}

/**
 * Compares the picks of two runs, or two artifacts, by stored predictions.
 *
 * @param metrics - Default, when empty: those of the task.
 * @throws {CkptError} EVALUATION_NOT_FOUND, ARTIFACT_NOT_FOUND, METRIC_NOT_FOUND.
 */
export async function diffRuns(
  first: string,
  second: string,
  split: string,
  metrics: readonly string[],
): Promise<RunDiff> {
  const [before, after] = await Promise.all([findSingleArtifact(first), findSingleArtifact(second)]);
  const [old, current] = await Promise.all(
    [before, after].map(({ artifact, evaluations }) => findEvaluation(artifact, { evaluations, split })),
  );
  if (old === undefined || current === undefined) throw new TypeError("an evaluation of each");
  const compared = await compareEvaluations(current.path, old.path, metrics.length === 0 ? {} : { metrics });
  return { first: before.artifact, second: after.artifact, split, ...inOrder(compared) };
}

/** As the command line has them: the comparison was of the second against the first. */
function inOrder(comparison: EvaluationComparison): Omit<RunDiff, "first" | "second" | "split"> {
  return {
    ...comparison,
    metrics: comparison.metrics.map(({ first, second, ...rest }) => ({
      ...rest,
      ...(second === undefined ? {} : { first: second }),
      ...(first === undefined ? {} : { second: first }),
    })),
  };
}

/** A table of the metrics, and what the first of them says in words. */
export function formatRunDiff(diff: RunDiff): string {
  const { first, second, split, isSameRows, rowCount, metrics, failures } = diff;
  const columns = [
    leftColumn("metric"),
    rightColumn("first"),
    leftColumn("95 % interval"),
    rightColumn("second"),
    leftColumn("95 % interval"),
    rightColumn("change"),
    leftColumn("95 % interval"),
    leftColumn("second is"),
  ];
  const rows = metrics.map((metric) =>
    [`${metric.name}${metric.mode === "max" ? "↑" : "↓"}`].concat(
      formatEstimate(metric.first),
      formatEstimate(metric.second),
      formatDifference(metric.difference),
      metric.verdict === "unknown" ? "-" : metric.verdict,
    ),
  );
  const where = isSameRows
    ? `on the same ${rowCount} rows of split ${split}${formatScoring(diff)}`
    : `on splits ${split} of different rows, which cannot be told apart from chance here`;
  return (
    `first ${first}, second ${second}, ${where}\n${formatTable(columns, rows)}` +
    failures.map((failure) => `failed: ${failure}\n`).join("")
  );
}
