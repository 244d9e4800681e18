import { compareMetric, type MetricMode, type RankedCandidate, type RankingManifest } from "@ckpt/manifest";

/** A candidate with its metrics, before it is ranked. */
export interface Candidate extends Pick<RankedCandidate, "id" | "artifact" | "checkpoint" | "metrics" | "evaluation"> {
  /** Why its predictions could not be scored. */
  readonly failure?: string;
}

/** The metric that orders candidates, and in which direction. */
export interface RankCandidatesOptions {
  /** Name of the primary metric. */
  readonly metric: string;
  readonly mode: MetricMode;
}

/** The part of a ranking that follows from the candidates alone. */
export type RankedCandidates = Pick<RankingManifest, "candidates" | "tieRules" | "pick">;

interface Rule {
  readonly text: string;
  /** Negative when the first is better. */
  compare(a: Candidate, b: Candidate): number;
}

/**
 * Orders candidates by the primary metric, and equal ones by these rules in turn: lower logLoss (when it is not the
 * primary metric and all have it), earlier step, smaller artifact digest. A candidate that failed, or whose primary
 * metric is missing or not finite, comes last, in the order of steps, with no rank.
 */
export function rankCandidates(
  candidates: readonly Candidate[],
  { metric, mode }: RankCandidatesOptions,
): RankedCandidates {
  const failures = new Map<Candidate, string>();
  for (const candidate of candidates) {
    const reason = candidate.failure ?? describeMissing(candidate, metric);
    if (reason !== undefined) failures.set(candidate, reason);
  }
  const sound = candidates.filter((candidate) => !failures.has(candidate));
  const failed = candidates.filter((candidate) => failures.has(candidate));
  const primary: Rule = {
    text: `${mode === "max" ? "higher" : "lower"} ${metric}`,
    compare: (a, b) => compareMetric(valueOf(a, metric), valueOf(b, metric), mode),
  };
  const tieRules = metric === "logLoss" || !sound.every(hasLogLoss) ? [...finalRules] : [lowerLogLoss, ...finalRules];
  const rules = [primary, ...tieRules];
  const ranked = sound.toSorted((a, b) => compareBy(rules, a, b));
  const [best, second] = ranked;
  return {
    tieRules: tieRules.map((rule) => rule.text),
    candidates: [
      ...ranked.map((candidate, index) => describe(candidate, index + 1)),
      ...failed
        .toSorted((a, b) => compareBy(finalRules, a, b))
        .map((candidate) => describe(candidate, undefined, failures.get(candidate))),
    ],
    ...(best === undefined
      ? {}
      : { pick: { id: best.id, artifact: best.artifact.digest, decidedBy: decidingRule(rules, best, second) } }),
  };
}

const lowerLogLoss: Rule = {
  text: "lower logLoss",
  compare: (a, b) => compareMetric(valueOf(a, "logLoss"), valueOf(b, "logLoss"), "min"),
};

const finalRules: readonly Rule[] = [
  { text: "earlier step", compare: (a, b) => compareMetric(stepOf(a), stepOf(b), "min") },
  {
    text: "smaller artifact digest",
    compare: (a, b) => Number(a.artifact.digest > b.artifact.digest) - Number(a.artifact.digest < b.artifact.digest),
  },
];

function compareBy(rules: readonly Rule[], a: Candidate, b: Candidate): number {
  for (const rule of rules) {
    const order = rule.compare(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

function decidingRule(rules: readonly Rule[], best: Candidate, second: Candidate | undefined): string {
  if (second === undefined) return "only candidate";
  return rules.find((rule) => rule.compare(best, second) !== 0)?.text ?? "equal artifacts";
}

function valueOf(candidate: Candidate, metric: string): number {
  return candidate.metrics[metric]?.value ?? NaN;
}

function hasLogLoss(candidate: Candidate): boolean {
  return candidate.metrics["logLoss"] !== undefined;
}

/** Artifacts of no known step come after those with one. */
function stepOf(candidate: Candidate): number {
  return candidate.checkpoint.step ?? Infinity;
}

function describeMissing(candidate: Candidate, metric: string): string | undefined {
  const value = candidate.metrics[metric]?.value;
  if (value === undefined) return `no ${metric}`;
  return Number.isFinite(value) ? undefined : `${metric} is ${value}`;
}

function describe(candidate: Candidate, rank: number | undefined, reason?: string): RankedCandidate {
  const { id, artifact, checkpoint, metrics, evaluation } = candidate;
  return {
    id,
    artifact,
    checkpoint,
    metrics,
    evaluation,
    ...(rank === undefined ? {} : { rank }),
    status: rank === undefined ? "failed" : rank === 1 ? "best" : "ranked",
    ...(reason === undefined ? {} : { reason }),
  };
}
