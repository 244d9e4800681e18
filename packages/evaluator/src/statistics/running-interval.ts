/** A mean of values from 0 to 1 that come one after the other, at random and without replacement; plain data. */
export interface RunningInterval {
  readonly rowCount: number;
  readonly alpha: number;
  rowsSeen: number;
  sum: number;
  /** Sum of squared distances to the mean before, with one pseudo-observation. */
  squares: number;
  /** Sums over rows of the bet times value and offset, and times its weight; of the distances that the radius is of. */
  centre: number;
  weight: number;
  spread: number;
}

/**
 * An interval that holds the mean of all `rowCount` rows at every row at once, but for a probability of `alpha`. Of K
 * candidates each takes alpha / K.
 */
export function startRunningInterval(rowCount: number, alpha: number): RunningInterval {
  return { rowCount, alpha, rowsSeen: 0, sum: 0, squares: 0.25, centre: 0, weight: 0, spread: 0 };
}

/**
 * Takes in more rows, in place.
 * Reference: I. Waudby-Smith and A. Ramdas, Confidence sequences for sampling without replacement, arXiv 2006.04347,
 * theorem 2 (empirical Bernstein).
 *
 * @param values - From 0 to 1.
 */
export function updateRunningInterval(state: RunningInterval, values: Float64Array): void {
  const logTerm = Math.log(2 / state.alpha);
  for (const value of values) {
    const t = state.rowsSeen + 1;
    // One pseudo-observation of 1/2.
    const meanBefore = (0.5 + state.sum) / t;
    const variance = state.squares / t;
    const bet = Math.min(0.5, Math.sqrt((2 * logTerm) / (variance * t * Math.log(1 + t))));
    const left = state.rowCount - t + 1;
    state.centre += bet * (value + state.sum / left);
    state.weight += bet * (1 + (t - 1) / left);
    state.spread += (value - meanBefore) ** 2 * (-Math.log(1 - bet) - bet);
    state.sum += value;
    state.rowsSeen = t;
    state.squares += (value - (0.5 + state.sum) / (t + 1)) ** 2;
  }
}

/** The interval at the rows seen so far, within 0 and 1. */
export function readRunningInterval(state: RunningInterval): readonly [number, number] {
  if (state.rowsSeen === 0) return [0, 1];
  const centre = state.centre / state.weight;
  const radius = (Math.log(2 / state.alpha) + state.spread) / state.weight;
  return [Math.max(0, centre - radius), Math.min(1, centre + radius)];
}
