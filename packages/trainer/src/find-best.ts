import type { Metrics } from "@ckpt/manifest";

import type { Monitor } from "./metric-mode.js";

/** The checkpoint with the best value of a metric, the first of equals, or `undefined` where no value is finite. */
export function findBest<Candidate extends { readonly metrics: Metrics }>(
  checkpoints: readonly Candidate[],
  monitor: Monitor,
): Candidate | undefined {
  return findBestFew(checkpoints, 1, monitor)[0];
}

/**
 * The `k` checkpoints with the best values of a metric, best first and the first of equals before the others; fewer
 * where fewer values are finite. One pass, made for a `k` that is small beside the number of checkpoints.
 */
export function findBestFew<Candidate extends { readonly metrics: Metrics }>(
  checkpoints: readonly Candidate[],
  k: number,
  { monitor, mode }: Monitor,
): readonly Candidate[] {
  const sign = mode === "min" ? 1 : -1;
  const best: Candidate[] = [];
  // Signed, so that a smaller one is better; beside the candidates, so that a comparison is one of two numbers.
  const costs: number[] = [];
  for (const checkpoint of checkpoints) {
    const cost = sign * (checkpoint.metrics[monitor] ?? Number.NaN);
    if (!Number.isFinite(cost)) continue;
    let at = costs.length;
    if (at === k) {
      if (cost >= (costs[k - 1] ?? Infinity)) continue;
      at--;
    }
    for (; at > 0 && cost < (costs[at - 1] ?? -Infinity); at--) {
      costs[at] = costs[at - 1] as number;
      best[at] = best[at - 1] as Candidate;
    }
    costs[at] = cost;
    best[at] = checkpoint;
  }
  return best;
}
