import type { Ranking } from "./rank-boxes.js";

/** Times that every rank is moved towards its neighbours, downwards and upwards. */
const sweepCount = 12;

/**
 * Gives every spot the place of its middle from left to right: as near as can be to the mean of its neighbours, while the
 * order of each rank and the space between spots are kept. The leftmost spot ends at `gap`.
 *
 * @param widths - Of the spots, in pixels.
 * @param gap - Least space between two spots, in pixels.
 */
export function placeSpots({ spots, ranks }: Ranking, widths: readonly number[], gap: number): readonly number[] {
  const middles = spots.map(() => 0);
  const widthOf = (spot: number): number => widths[spot] ?? 0;
  const place = (rank: readonly number[], wanted: readonly number[]): void => {
    // Distances from the first spot, were all as near to each other as they may be.
    let distance = 0;
    const distances = rank.map((spot, at) => {
      const before = rank[at - 1];
      if (before !== undefined) distance += (widthOf(before) + widthOf(spot)) / 2 + gap;
      return distance;
    });
    const placed = fitAscending(wanted.map((middle, at) => middle - (distances[at] ?? 0)));
    for (const [at, spot] of rank.entries()) middles[spot] = (placed[at] ?? 0) + (distances[at] ?? 0);
  };
  const moveTowards = (rank: readonly number[], side: "above" | "below"): void => {
    const wanted = rank.map((spot) => {
      const neighbours = spots[spot]?.[side] ?? [];
      const sum = neighbours.reduce((total, neighbour) => total + (middles[neighbour] ?? 0), 0);
      return neighbours.length === 0 ? (middles[spot] ?? 0) : sum / neighbours.length;
    });
    place(rank, wanted);
  };
  for (const rank of ranks) {
    place(
      rank,
      rank.map(() => 0),
    );
  }
  for (let sweep = 0; sweep < sweepCount; sweep++) {
    for (const rank of ranks) moveTowards(rank, "above");
    for (const rank of ranks.toReversed()) moveTowards(rank, "below");
  }
  const left = Math.min(...middles.map((middle, spot) => middle - widthOf(spot) / 2));
  return middles.map((middle) => middle - left + gap);
}

/**
 * The ascending numbers that are nearest to these by the sum of squares: runs that descend are replaced by their mean.
 *
 * Reference: the pool adjacent violators algorithm, Ayer et al. (1955).
 */
function fitAscending(values: readonly number[]): readonly number[] {
  const runs: { mean: number; count: number }[] = [];
  for (const value of values) {
    let run = { mean: value, count: 1 };
    for (let last = runs.at(-1); last !== undefined && last.mean > run.mean; last = runs.at(-1)) {
      const count = last.count + run.count;
      run = { mean: (last.mean * last.count + run.mean * run.count) / count, count };
      runs.pop();
    }
    runs.push(run);
  }
  return runs.flatMap(({ mean, count }) => Array.from({ length: count }, () => mean));
}
