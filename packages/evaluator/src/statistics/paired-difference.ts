import type { CandidateReplicates } from "./candidate-replicates.js";
import { normalCdf, normalQuantile } from "./normal.js";
import { quantile } from "./quantile.js";

/** How far one candidate is from another, with two kinds of interval. */
export interface PairedDifference {
  /** The first candidate's figure less the second's. */
  readonly value: number;
  readonly percentile: readonly [number, number];
  /** Bias-corrected and accelerated; the percentile interval where it cannot be computed. */
  readonly bca: readonly [number, number];
}

/**
 * The difference of two candidates by the paired bootstrap; replicates without a value are left out. NaN without any.
 * Reference: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), section 14.3 (BCa).
 *
 * @param level - Coverage. Default: 0.95.
 */
export function comparePaired(
  { values, replicates, leftOut }: CandidateReplicates,
  first: number,
  second: number,
  level = 0.95,
): PairedDifference {
  const value = (values[first] ?? NaN) - (values[second] ?? NaN);
  const differences = subtract(replicates[first], replicates[second]).filter(Number.isFinite).toSorted();
  const tail = (1 - level) / 2;
  const percentile = [quantile(differences, tail), quantile(differences, 1 - tail)] as const;
  const bias = findBias(differences, value);
  const acceleration = findAcceleration(subtract(leftOut[first], leftOut[second]));
  if (!Number.isFinite(bias) || !Number.isFinite(acceleration)) return { value, percentile, bca: percentile };
  const bound = (probability: number): number => {
    const z = bias + normalQuantile(probability);
    return quantile(differences, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return { value, percentile, bca: [bound(tail), bound(1 - tail)] };
}

/** Normal quantile of the share of replicates below the value; those equal to it count half. */
function findBias(sorted: Float64Array, value: number): number {
  let [below, equal] = [0, 0];
  for (const difference of sorted) {
    below += Number(difference < value);
    equal += Number(difference === value);
  }
  return normalQuantile((below + equal / 2) / sorted.length);
}

function findAcceleration(leftOut: Float64Array): number {
  const mean = leftOut.reduce((sum, value) => sum + value, 0) / leftOut.length;
  const squares = leftOut.reduce((sum, value) => sum + (mean - value) ** 2, 0);
  const cubes = leftOut.reduce((sum, value) => sum + (mean - value) ** 3, 0);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function subtract(left: Float64Array = new Float64Array(), right: Float64Array = new Float64Array()): Float64Array {
  return left.map((value, index) => value - (right[index] ?? NaN));
}
