import type { Drawing } from "./drawing.js";

/** A place in a rank: a box, or a point that an edge over several ranks goes through. */
export interface Spot {
  /** Index of the box; -1 for a point. */
  readonly box: number;
  /** Indices of the spots it is connected with in the rank above and in the one below. */
  readonly above: number[];
  readonly below: number[];
}

/** Boxes in ranks, with every edge as a chain of spots of neighbouring ranks. */
export interface Ranking {
  readonly spots: readonly Spot[];
  /** Indices of spots, from left to right. */
  readonly ranks: readonly (readonly number[])[];
  /** For each edge of the drawing its spots, from its beginning to its end. */
  readonly routes: readonly (readonly number[])[];
}

/** Times that the ranks are sorted by their neighbours, once downwards and once upwards. */
const sweepCount = 8;

/**
 * Puts every box below all that it reads, as near as that allows, and orders each rank so that few edges cross: by the
 * mean position of the neighbours, several times. An edge that leads back, as it does where a group is used again,
 * leads upwards.
 *
 * Reference: Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981).
 */
export function rankBoxes({ boxes, edges }: Drawing): Ranking {
  const rankOf = chooseRanks(boxes.length, edges);
  const spots: Spot[] = boxes.map((_, box) => ({ box, above: [], below: [] }));
  const ranks: number[][] = Array.from({ length: Math.max(0, ...rankOf) + 1 }, () => []);
  for (const [spot, rank] of rankOf.entries()) ranks[rank]?.push(spot);
  const routes = edges.map(([from, to]) => {
    const isBackward = (rankOf[from] ?? 0) > (rankOf[to] ?? 0);
    const [top, bottom] = isBackward ? [to, from] : [from, to];
    const route = [top];
    for (let rank = (rankOf[top] ?? 0) + 1; rank < (rankOf[bottom] ?? 0); rank++) {
      route.push(spots.length);
      ranks[rank]?.push(spots.length);
      spots.push({ box: -1, above: [], below: [] });
    }
    route.push(bottom);
    for (const [at, spot] of route.entries()) {
      const next = route[at + 1];
      if (next === undefined) continue;
      spots[spot]?.below.push(next);
      spots[next]?.above.push(spot);
    }
    return isBackward ? route.toReversed() : route;
  });
  return { spots, ranks: orderRanks(ranks, spots), routes };
}

/** The longest way to each box from one that reads nothing, along the edges that lead on in the order of the boxes. */
function chooseRanks(count: number, edges: Drawing["edges"]): readonly number[] {
  const readers = Array.from({ length: count }, (): number[] => []);
  for (const [from, to] of edges) if (from < to) readers[from]?.push(to);
  const ranks = Array.from({ length: count }, () => 0);
  for (const [from, tos] of readers.entries()) {
    for (const to of tos) ranks[to] = Math.max(ranks[to] ?? 0, (ranks[from] ?? 0) + 1);
  }
  return ranks;
}

function orderRanks(ranks: readonly (readonly number[])[], spots: readonly Spot[]): readonly (readonly number[])[] {
  const ordered = ranks.map((rank) => [...rank]);
  const position = new Map<number, number>();
  const remember = (rank: readonly number[]): void => {
    for (const [at, spot] of rank.entries()) position.set(spot, (at + 0.5) / rank.length);
  };
  for (const rank of ordered) remember(rank);
  const sort = (rank: number[], side: "above" | "below"): void => {
    const wanted = new Map(
      rank.map((spot) => {
        const neighbours = spots[spot]?.[side] ?? [];
        const sum = neighbours.reduce((total, neighbour) => total + (position.get(neighbour) ?? 0), 0);
        return [spot, neighbours.length === 0 ? (position.get(spot) ?? 0) : sum / neighbours.length];
      }),
    );
    // A sort that keeps the order of equals, so the same graph is the same picture.
    rank.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    remember(rank);
  };
  for (let sweep = 0; sweep < sweepCount; sweep++) {
    for (const rank of ordered) sort(rank, "above");
    for (const rank of ordered.toReversed()) sort(rank, "below");
  }
  return ordered;
}
