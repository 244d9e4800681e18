import { normalQuantile } from "../src/statistics/normal.js";
import { createRandom } from "../src/statistics/random.js";

/** Normal numbers, two by two. Reference: G. Box and M. Muller (1958). */
export function createNormal(seed: number): () => number {
  const random = createRandom(seed);
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * Losses 0 and 1 `[candidate][row]` of candidates with these accuracies. Rows are hard or easy for all of them, as for
 * checkpoints of one training: `likeness` is the share of a row's difficulty that they have in common.
 */
export function simulateLosses(
  accuracies: readonly number[],
  rowCount: number,
  seed: number,
  likeness = 0.8,
): readonly Float64Array[] {
  const normal = createNormal(seed);
  const limits = accuracies.map(normalQuantile);
  const losses = accuracies.map(() => new Float64Array(rowCount));
  for (let row = 0; row < rowCount; row++) {
    const common = Math.sqrt(likeness) * normal();
    for (const [candidate, limit] of limits.entries()) {
      const difficulty = common + Math.sqrt(1 - likeness) * normal();
      const own = losses[candidate];
      if (own !== undefined) own[row] = Number(difficulty > limit);
    }
  }
  return losses;
}

/** The same rows in another order. */
export function shuffleRows(losses: readonly Float64Array[], seed: number): readonly Float64Array[] {
  const random = createRandom(seed);
  const order = Uint32Array.from(losses[0] ?? [], (_, row) => row);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
  return losses.map((own) => Float64Array.from(order, (row) => own[row] ?? NaN));
}

/** Mean of some values. */
export function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
