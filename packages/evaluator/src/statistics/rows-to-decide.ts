import { normalQuantile, normalRadius } from "./normal.js";

/** An undecided figure: its interval holds the threshold. */
export interface UndecidedFigure {
  readonly value: number;
  /** Of `rowCount` rows. */
  readonly interval: readonly [number, number];
  /** Coverage of the interval. Default: 0.95. */
  readonly confidence?: number;
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
export function countRowsToDecide(figure: UndecidedFigure, power = 0.8): number {
  const { value, interval, confidence = 0.95, rowCount, threshold } = figure;
  if (threshold < interval[0] || threshold > interval[1]) return 0;
  const radius = value > threshold ? value - interval[0] : interval[1] - value;
  const ownRadius = normalRadius(confidence);
  const factor = (ownRadius + normalQuantile(power)) / ownRadius;
  const needed = rowCount * ((radius * factor) / (value - threshold)) ** 2;
  return Math.max(1, Math.ceil(needed - rowCount));
}
