import type { MetricEstimate } from "@ckpt/manifest";

import { type Constraint, keepsTo } from "../constraint.js";
import { countRowsToDecide } from "../statistics/rows-to-decide.js";

/** Whether something is shown to hold, shown not to hold, or neither. */
export type Verdict = "pass" | "fail" | "inconclusive";

/** What became of one thing that was asked. */
export interface Judgement {
  /** What was asked, in words. */
  readonly text: string;
  readonly verdict: Verdict;
  /** What was found; absent where nothing was. */
  readonly found?: MetricEstimate;
  /** Why it is not a pass, where the figures do not say it. */
  readonly reason?: string;
  /** How many rows more would probably decide it. */
  readonly moreRows?: number;
}

/** A threshold with the side of it that is wanted. */
export type Bound = Pick<Constraint, "operator" | "limit">;

/** What an estimate rests on. */
export interface EstimateBasis {
  readonly rowCount: number;
  /** Coverage of its interval. */
  readonly confidence: number;
}

/** Holds an estimate against a bound: a pass when the whole interval keeps to it, a fail when none of it does. */
export function judgeEstimate(text: string, found: MetricEstimate, bound: Bound, basis: EstimateBasis): Judgement {
  const { interval } = found;
  if (interval === undefined) return { text, verdict: "inconclusive", found, reason: "it has no interval" };
  const keeping = interval.filter((end) => keepsTo(end, bound)).length;
  if (keeping === 2) return { text, verdict: "pass", found };
  if (keeping === 0) return { text, verdict: "fail", found };
  const moreRows = countRowsToDecide({ value: found.value, interval, threshold: bound.limit, ...basis });
  return { text, verdict: "inconclusive", found, ...(Number.isFinite(moreRows) ? { moreRows } : {}) };
}

/** Holds a figure that is known exactly, such as a size, against a bound. */
export function judgeValue(text: string, value: number, bound: Bound): Judgement {
  return { text, verdict: keepsTo(value, bound) ? "pass" : "fail", found: { value } };
}

/** A fail because what was asked for is not there: who asks for it must not pass without it. */
export function failWithout(text: string, reason: string): Judgement {
  return { text, verdict: "fail", reason };
}

/** One verdict of several: a fail if one failed, else inconclusive if one is; of none a fail. */
export function joinVerdicts(judgements: readonly Judgement[]): Verdict {
  if (judgements.length === 0 || judgements.some(({ verdict }) => verdict === "fail")) return "fail";
  return judgements.some(({ verdict }) => verdict === "inconclusive") ? "inconclusive" : "pass";
}
