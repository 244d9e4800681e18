import { jackknife } from "./jackknife.js";
import { bootstrap, resample, type ResampleOptions, type Statistic } from "./resample.js";
import { type Sample, weightsOf } from "./units.js";
import { weightedMean } from "./weighted-mean.js";

/** The figures of several candidates on the same rows, and on the same resamples of them. */
export interface CandidateReplicates {
  /** `[candidate]`, on all rows. */
  readonly values: readonly number[];
  /** `[candidate][replicate]`: one replicate has the same weights for all candidates. */
  readonly replicates: readonly Float64Array[];
  /** `[candidate][block]`: with a block of rows left out, for the acceleration of an interval. */
  readonly leftOut: readonly Float64Array[];
}

/** Resamples any figure of several candidates; 2,000 replicates by default. */
export function resampleCandidates(
  candidates: readonly Statistic[],
  sample: Sample,
  { replicateCount = 2000, ...options }: Partial<ResampleOptions> = {},
): CandidateReplicates {
  const weights = weightsOf(sample);
  return {
    values: candidates.map((statistic) => statistic(weights)),
    replicates: bootstrap(candidates, sample, { replicateCount, ...options }),
    leftOut: jackknife(candidates, sample),
  };
}

/** The same for figures that are weighted means of values `[rows]`, in a tenth of the time: four candidates a pass. */
export function resampleMeans(
  candidates: readonly Float64Array[],
  sample: Sample,
  { replicateCount = 2000, ...options }: Partial<ResampleOptions> = {},
): CandidateReplicates {
  const weights = weightsOf(sample);
  const replicates = candidates.map(() => new Float64Array(replicateCount));
  const none = new Float64Array(sample.rowCount);
  resample(sample, { replicateCount, ...options }, (weights, replicate) => {
    let total = 0;
    for (const weight of weights) total += weight;
    for (let first = 0; first < candidates.length; first += 4) {
      const a = candidates[first] ?? none;
      const b = candidates[first + 1] ?? none;
      const c = candidates[first + 2] ?? none;
      const d = candidates[first + 3] ?? none;
      const sums = addFour(a, b, c, d, weights);
      for (let offset = 0; offset < 4; offset++) {
        const means = replicates[first + offset];
        if (means !== undefined) means[replicate] = (sums[offset] ?? NaN) / total;
      }
    }
  });
  return {
    values: candidates.map((values) => weightedMean(values, weights)),
    replicates,
    leftOut: jackknife(
      candidates.map((values) => (weights: Float64Array) => weightedMean(values, weights)),
      sample,
    ),
  };
}

function addFour(
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  d: Float64Array,
  weights: Float64Array,
): readonly [number, number, number, number] {
  let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    sumA += weight * (a[row] ?? 0);
    sumB += weight * (b[row] ?? 0);
    sumC += weight * (c[row] ?? 0);
    sumD += weight * (d[row] ?? 0);
  }
  return [sumA, sumB, sumC, sumD];
}
