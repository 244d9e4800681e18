import {
  type CandidateStatus,
  compareMetric,
  type MetricMode,
  type RankedCandidate,
  type RankingManifest,
} from "@ckpt/manifest";

import type { Candidate } from "./candidate.js";
import { type Constraint, describeBreach } from "./constraint.js";
import { findPareto } from "./pareto.js";
import type { CandidateReplicates } from "./statistics/candidate-replicates.js";
import { mcnemar } from "./statistics/mcnemar.js";
import { findConfidenceSet } from "./statistics/model-confidence-set.js";
import { comparePaired } from "./statistics/paired-difference.js";
import { countDiscordant, type RowHits } from "./statistics/row-hits.js";
import { listTieRules, roundMeasure, type Rule } from "./tie-rules.js";

/** The metric that orders candidates, and what else they have to be. */
export interface RankCandidatesOptions {
  /** Name of the primary metric. */
  readonly metric: string;
  readonly mode: MetricMode;
  readonly constraints?: readonly Constraint[];
  /** Coverage of the differences' intervals. Default: 0.95. */
  readonly confidence?: number;
  /** The primary metric of the candidates, in their order, on shared resamples: what "tied with best" is told from. */
  readonly resampled?: CandidateReplicates;
  /** The rows each candidate has right, in their order, where rows are right or wrong. */
  readonly hits?: readonly (RowHits | undefined)[];
}

/** The part of a ranking that follows from the candidates alone. */
export type RankedCandidates = Pick<RankingManifest, "candidates" | "tieRules" | "constraints" | "pick">;

/**
 * Orders candidates by the primary metric, and equal ones by the tie rules. With resamples, those that may be the best
 * by the model confidence set (90 %) are equal: the tie rules alone decide among them, and they share rank 1. Behind
 * them, without a rank: those that break a constraint, in the same order, and those that failed or whose primary metric
 * is missing or not finite, in the order of steps.
 */
export function rankCandidates(candidates: readonly Candidate[], options: RankCandidatesOptions): RankedCandidates {
  const { metric, mode, constraints = [] } = options;
  const reasons = new Map<Candidate, string>();
  for (const candidate of candidates) {
    const reason = candidate.failure ?? describeMissing(candidate, metric);
    if (reason !== undefined) reasons.set(candidate, reason);
  }
  const sound = candidates.filter((candidate) => !reasons.has(candidate));
  const failed = candidates.filter((candidate) => reasons.has(candidate));
  for (const candidate of sound) {
    const breaches = constraints.flatMap(
      (constraint) => describeBreach(constraint, measureOf(candidate, constraint.measure)) ?? [],
    );
    if (breaches.length > 0) reasons.set(candidate, breaches.join("; "));
  }
  const eligible = sound.filter((candidate) => !reasons.has(candidate));
  const excluded = sound.filter((candidate) => reasons.has(candidate));

  const primary: Rule = {
    text: `${mode === "max" ? "higher" : "lower"} ${metric}`,
    compare: (a, b) => compareMetric(valueOf(a, metric), valueOf(b, metric), mode),
  };
  const members = findMembers(candidates, eligible, options);
  const tieRules = listTieRules(eligible, metric, members === undefined ? undefined : primary);
  const isTied = members !== undefined && members.size > 1;
  const tied = eligible.filter((candidate) => isTied && members.has(candidate)).toSorted(compareBy(tieRules));
  const others = eligible
    .filter((candidate) => !(isTied && members.has(candidate)))
    .toSorted(compareBy([primary, ...tieRules]));
  const ranked = [...tied, ...others];
  const [best, second] = ranked;
  const pareto = markPareto(sound, options);

  const describe = (candidate: Candidate, status: CandidateStatus, rank?: number): RankedCandidate => {
    const { id, artifact, checkpoint, metrics, slices, worstSlices, evaluation, measures } = candidate;
    const reason = reasons.get(candidate);
    const isPareto = pareto?.get(candidate);
    const difference = candidate === best ? undefined : compareWith(best, candidate, candidates, options);
    const mcnemar = candidate === best ? undefined : testHits(best, candidate, candidates, options);
    return {
      id,
      artifact,
      checkpoint,
      metrics,
      ...(slices === undefined ? {} : { slices }),
      ...(worstSlices === undefined ? {} : { worstSlices }),
      evaluation,
      ...(measures === undefined ? {} : { measures }),
      ...(difference === undefined ? {} : { difference }),
      ...(mcnemar === undefined ? {} : { mcnemar }),
      ...(isPareto === undefined ? {} : { isPareto }),
      ...(rank === undefined ? {} : { rank }),
      status,
      ...(reason === undefined ? {} : { reason }),
    };
  };
  const statusOf = (candidate: Candidate): CandidateStatus => {
    if (candidate === best) return "best";
    if (members === undefined) return "ranked";
    return members.has(candidate) ? "tied" : "worse";
  };
  return {
    tieRules: tieRules.map((rule) => rule.text),
    ...(constraints.length === 0 ? {} : { constraints: constraints.map(({ text }) => text) }),
    candidates: [
      ...ranked.map((candidate, index) =>
        describe(candidate, statusOf(candidate), index < tied.length ? 1 : index + 1),
      ),
      ...excluded.toSorted(compareBy([primary, ...tieRules])).map((candidate) => describe(candidate, "excluded")),
      ...failed.toSorted(compareBy(listTieRules([], metric))).map((candidate) => describe(candidate, "failed")),
    ],
    ...(best === undefined
      ? {}
      : {
          pick: {
            id: best.id,
            artifact: best.artifact.digest,
            decidedBy: decidingRule(isTied ? tieRules : [primary, ...tieRules], best, second),
          },
        }),
  };
}

/** The eligible candidates that may be the best, if there are resamples to tell by. */
function findMembers(
  candidates: readonly Candidate[],
  eligible: readonly Candidate[],
  { mode, resampled }: RankCandidatesOptions,
): ReadonlySet<Candidate> | undefined {
  if (resampled === undefined) return undefined;
  const indices = eligible.map((candidate) => candidates.indexOf(candidate));
  const { isMember } = findConfidenceSet(
    {
      values: indices.map((index) => resampled.values[index] ?? NaN),
      replicates: indices.map((index) => resampled.replicates[index] ?? new Float64Array()),
    },
    { mode },
  );
  return new Set(eligible.filter((_, index) => isMember[index]));
}

/** A candidate's primary metric less the best's, with the BCa interval of the paired bootstrap. */
function compareWith(
  best: Candidate | undefined,
  candidate: Candidate,
  candidates: readonly Candidate[],
  { resampled, confidence }: RankCandidatesOptions,
): RankedCandidate["difference"] {
  if (resampled === undefined || best === undefined) return undefined;
  const { value, bca } = comparePaired(resampled, candidates.indexOf(candidate), candidates.indexOf(best), confidence);
  if (!Number.isFinite(value)) return undefined;
  return bca.every(Number.isFinite) ? { value, interval: bca } : { value };
}

/** McNemar's test of a candidate against the best. */
function testHits(
  best: Candidate | undefined,
  candidate: Candidate,
  candidates: readonly Candidate[],
  { hits }: RankCandidatesOptions,
): RankedCandidate["mcnemar"] {
  const own = hits?.[candidates.indexOf(candidate)];
  const others = best === undefined ? undefined : hits?.[candidates.indexOf(best)];
  if (own === undefined || others === undefined) return undefined;
  const { onlyFirst, onlySecond } = countDiscordant(own, others);
  const { exact, midP } = mcnemar(onlyFirst, onlySecond);
  return { onlyThis: onlyFirst, onlyPick: onlySecond, exact, midP };
}

/** By the primary metric and all measures that every sound candidate has; of none without measures. */
function markPareto(
  sound: readonly Candidate[],
  { metric, mode }: RankCandidatesOptions,
): ReadonlyMap<Candidate, boolean> | undefined {
  const shared = Object.keys(sound[0]?.measures ?? {}).filter((name) =>
    sound.every((candidate) => Number.isFinite(candidate.measures?.[name])),
  );
  if (shared.length === 0) return undefined;
  const front = findPareto(
    sound.map((candidate) => [
      valueOf(candidate, metric) * (mode === "max" ? -1 : 1),
      ...shared.map((name) => roundMeasure(candidate.measures?.[name] ?? NaN)),
    ]),
  );
  return new Map(sound.map((candidate, index) => [candidate, front[index] === true]));
}

function compareBy(rules: readonly Rule[]): (a: Candidate, b: Candidate) => number {
  return (a, b) => {
    for (const rule of rules) {
      const order = rule.compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function decidingRule(rules: readonly Rule[], best: Candidate, second: Candidate | undefined): string {
  if (second === undefined) return "only candidate";
  return rules.find((rule) => rule.compare(best, second) !== 0)?.text ?? "equal artifacts";
}

function valueOf(candidate: Candidate, metric: string): number {
  return candidate.metrics[metric]?.value ?? NaN;
}

function measureOf(candidate: Candidate, name: string): number | undefined {
  return candidate.measures?.[name] ?? candidate.metrics[name]?.value;
}

function describeMissing(candidate: Candidate, metric: string): string | undefined {
  const value = candidate.metrics[metric]?.value;
  if (value !== undefined) return Number.isFinite(value) ? undefined : `${metric} is ${value}`;
  const reason = candidate.notDefined?.[metric];
  return `no ${metric}${reason === undefined ? "" : `: ${reason}`}`;
}
