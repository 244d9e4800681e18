/** Rows by falling score of one class, and which of them are of it. */
export interface RankedClass {
  readonly order: Uint32Array;
  /** `[rows]`, in that order: whether the next row has a lower score. */
  readonly isStep: Uint8Array;
  /** `[rows]`, in that order. */
  readonly isPositive: Uint8Array;
}

/** Sorts rows once for all the areas below. */
export function rankClass(
  rowCount: number,
  score: (row: number) => number,
  isPositive: (row: number) => boolean,
): RankedClass {
  const scores = Float64Array.from({ length: rowCount }, (_, row) => score(row));
  const order = Uint32Array.from({ length: rowCount }, (_, row) => row).toSorted(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0),
  );
  return {
    order,
    isStep: Uint8Array.from(order, (row, at) => Number(scores[row] !== scores[order[at + 1] ?? -1])),
    isPositive: Uint8Array.from(order, (row) => Number(isPositive(row))),
  };
}

/** Weight of positive and negative rows at and above each score, from the highest down. */
function walk(
  { order, isStep, isPositive }: RankedClass,
  weights: Float64Array,
  onStep: (truePositives: number, falsePositives: number) => void,
): void {
  let truePositives = 0;
  let falsePositives = 0;
  for (let at = 0; at < order.length; at++) {
    const weight = weights[order[at] ?? 0] ?? 0;
    if (isPositive[at] === 1) truePositives += weight;
    else falsePositives += weight;
    if (isStep[at] === 1) onStep(truePositives, falsePositives);
  }
}

/** Area under the ROC curve: how likely a positive row scores above a negative one, ties half. NaN without one of both. */
export function areaUnderRoc(ranked: RankedClass, weights: Float64Array): number {
  let [area, hits, alarms] = [0, 0, 0];
  walk(ranked, weights, (truePositives, falsePositives) => {
    area += ((falsePositives - alarms) * (truePositives + hits)) / 2;
    [hits, alarms] = [truePositives, falsePositives];
  });
  return hits > 0 && alarms > 0 ? area / (hits * alarms) : NaN;
}

/** Sum over scores of the rise in recall times the precision there, without interpolation. 0 without positive rows. */
export function averagePrecisionOf(ranked: RankedClass, weights: Float64Array): number {
  let [sum, hits] = [0, 0];
  walk(ranked, weights, (truePositives, falsePositives) => {
    if (truePositives > hits) sum += ((truePositives - hits) * truePositives) / (truePositives + falsePositives);
    hits = truePositives;
  });
  return hits > 0 ? sum / hits : 0;
}

/** Area under the precision-recall curve by trapezoids, from precision 1 at recall 0. NaN without positive rows. */
export function areaUnderPr(ranked: RankedClass, weights: Float64Array): number {
  let [area, hits, precision] = [0, 0, 1];
  walk(ranked, weights, (truePositives, falsePositives) => {
    if (truePositives + falsePositives === 0) return;
    const next = truePositives / (truePositives + falsePositives);
    area += ((truePositives - hits) * (next + precision)) / 2;
    [hits, precision] = [truePositives, next];
  });
  return hits > 0 ? area / hits : NaN;
}
