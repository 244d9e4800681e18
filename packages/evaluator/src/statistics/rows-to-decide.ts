import { normalQuantile, normalQuantile975 } from "./normal.js";

/** An undecided figure: its interval holds the threshold. */
export interface UndecidedFigure {
  readonly value: number;
  /** 95 %, of `rowCount` rows. */
  readonly interval: readonly [number, number];
  readonly rowCount: number;
  readonly threshold: number;
}

/**
 * How many rows more would bring the interval to one side of the threshold with a probability of `power`, if the figure
 * is what it seems to be: the interval shrinks with the root of the rows. 0 when it is decided, Infinity when the figure
 * is on the threshold.
 *
 * @param power - Default: 0.8.
 */
export function countRowsToDecide({ value, interval, rowCount, threshold }: UndecidedFigure, power = 0.8): number {
  if (threshold < interval[0] || threshold > interval[1]) return 0;
  const radius = value > threshold ? value - interval[0] : interval[1] - value;
  const factor = (normalQuantile975 + normalQuantile(power)) / normalQuantile975;
  const needed = rowCount * ((radius * factor) / (value - threshold)) ** 2;
  return Math.max(1, Math.ceil(needed - rowCount));
}
