import type { ScoredRows } from "./metric.js";

/** The class of the largest prediction of a row; of equal ones the lowest index. */
export function argmax(rows: ScoredRows, row: number): number {
  const { predictions, columnCount } = rows;
  const start = row * columnCount;
  let best = 0;
  for (let column = 1; column < columnCount; column++) {
    if ((predictions[start + column] ?? 0) > (predictions[start + best] ?? 0)) best = column;
  }
  return best;
}
