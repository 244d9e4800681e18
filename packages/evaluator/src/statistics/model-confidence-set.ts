import type { CandidateReplicates } from "./candidate-replicates.js";

/** Which candidates may be the best. */
export interface ModelConfidenceSet {
  /** `[candidate]` */
  readonly isMember: readonly boolean[];
  /** `[candidate]`: the level from which on it is no member; 1 for the last that is left. */
  readonly pValues: readonly number[];
}

/** Which figures are better, and how sure the set has to be. */
export interface ConfidenceSetOptions {
  readonly mode: "min" | "max";
  /** How likely the best candidate may be left out. Default: 0.1. */
  readonly level?: number;
}

/**
 * The candidates that the best one, on the population the rows are from, is among with a probability of at least
 * 1 - level: of all candidates the one that is worst against their mean, in standard errors, is dropped as long as the
 * largest such distance is further out than `level` of its centred resamples. Replicates that one of them has no value
 * on are left out.
 * Reference: P. Hansen, A. Lunde and J. Nason, The Model Confidence Set, Econometrica 79 (2011), section 3.1.2 (T_max).
 */
export function findConfidenceSet(
  { values, replicates }: Pick<CandidateReplicates, "values" | "replicates">,
  { mode, level = 0.1 }: ConfidenceSetOptions,
): ModelConfidenceSet {
  const sign = mode === "min" ? 1 : -1;
  const losses = values.map((value) => sign * value);
  const kept = replicates.length === 0 ? [] : Array.from(replicates[0] ?? [], (_, at) => at).filter(isWhole);
  const resampled = replicates.map((figures) => Float64Array.from(kept, (at) => sign * (figures[at] ?? NaN)));
  const members = new Set(values.keys());
  const pValues = values.map(() => 1);
  let highest = 0;
  while (members.size > 1) {
    const { worst, p } = testEquality([...members], losses, resampled);
    highest = Math.max(highest, p);
    pValues[worst] = highest;
    members.delete(worst);
  }
  return { isMember: pValues.map((p) => p >= level), pValues };

  function isWhole(at: number): boolean {
    return replicates.every((figures) => Number.isFinite(figures[at]));
  }
}

/** Whether all members are equally good, and the one that looks worst. */
function testEquality(
  members: readonly number[],
  losses: readonly number[],
  resampled: readonly Float64Array[],
): { readonly worst: number; readonly p: number } {
  const replicateCount = resampled[0]?.length ?? 0;
  const mean = members.reduce((sum, member) => sum + (losses[member] ?? 0), 0) / members.length;
  const means = new Float64Array(replicateCount);
  for (const member of members) {
    const own = resampled[member] ?? means;
    for (let at = 0; at < replicateCount; at++) means[at] = (means[at] ?? 0) + (own[at] ?? 0) / members.length;
  }
  const centred = new Float64Array(replicateCount);
  const largest = new Float64Array(replicateCount).fill(-Infinity);
  let worst = members[0] ?? 0;
  let statistic = -Infinity;
  for (const member of members) {
    const distance = (losses[member] ?? 0) - mean;
    const own = resampled[member] ?? means;
    let squares = 0;
    for (let at = 0; at < replicateCount; at++) {
      const value = (own[at] ?? 0) - (means[at] ?? 0) - distance;
      centred[at] = value;
      squares += value * value;
    }
    const error = Math.sqrt(squares / replicateCount);
    const isExact = error <= 1e-12 * Math.abs(mean);
    const t = isExact ? (Math.abs(distance) <= 1e-12 * Math.abs(mean) ? 0 : distance * Infinity) : distance / error;
    if (t > statistic) [worst, statistic] = [member, t];
    for (let at = 0; at < replicateCount; at++) {
      largest[at] = Math.max(largest[at] ?? 0, isExact ? 0 : (centred[at] ?? 0) / error);
    }
  }
  const beyond = largest.reduce((count, value) => count + Number(value >= statistic), 0);
  return { worst, p: replicateCount === 0 ? 1 : beyond / replicateCount };
}
