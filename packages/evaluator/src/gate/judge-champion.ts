import type { EvaluationComparison } from "../compare-evaluations.js";
import { failWithout, type Judgement, judgeEstimate } from "./judgement.js";

/** What a candidate has to show against a champion. */
export interface ChampionRule {
  /** Not worse by more than the margin, or better by more than it. */
  readonly mode: "non-inferior" | "superior";
  /** In units of the metric, from 0. */
  readonly margin: number;
}

/**
 * Judges a candidate (the first of the comparison) against a champion by the interval of their difference on the same
 * rows.
 *
 * @param metric - Name of the metric, one of the comparison's.
 * @param confidence - Coverage of the comparison's intervals.
 */
export function judgeChampion(
  comparison: EvaluationComparison,
  metric: string,
  { mode, margin }: ChampionRule,
  confidence: number,
): Judgement {
  const compared = comparison.metrics.find(({ name }) => name === metric);
  const limit = mode === "superior" ? margin : -margin;
  const text = `${metric} ${mode} to the champion${margin === 0 ? "" : `, margin ${margin}`}`;
  if (compared?.difference === undefined) {
    return failWithout(text, comparison.isSameRows ? `there is no ${metric}` : "it was not scored on the same rows");
  }
  const [above, below] = mode === "superior" ? ([">", "<"] as const) : ([">=", "<="] as const);
  const bound = compared.mode === "max" ? { operator: above, limit } : { operator: below, limit: -limit };
  return judgeEstimate(text, compared.difference, bound, { rowCount: comparison.rowCount, confidence });
}
