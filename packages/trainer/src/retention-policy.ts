import type { Metrics } from "@ckpt/manifest";

import { findBest } from "./find-best.js";
import type { Monitor } from "./metric-mode.js";
import { requireNumber } from "./require-number.js";

/** What retention looks at: the step of a committed checkpoint and what was measured there. */
export interface RetentionCandidate {
  readonly step: number;
  readonly metrics: Metrics;
  /** Seconds trained up to the save, over all processes of the run; absent where that is not known. */
  readonly trainedSeconds?: number;
}

/** Says which checkpoints are worth keeping. A pure value; policies add up. */
export interface RetentionPolicy {
  /** In words, with everything that decides. */
  readonly description: string;
  /** The metrics the policy cannot do without. */
  readonly monitors: readonly Monitor[];
  /** The steps to keep. `checkpoints` are in the order of their steps. */
  select(checkpoints: readonly RetentionCandidate[]): readonly number[];
}

/** The rules by which checkpoints stay. */
export interface SelectKeptOptions {
  /** A checkpoint stays if any policy keeps it. None: all stay, up to `maxToKeep`. */
  readonly keep: readonly RetentionPolicy[];
  /** At most so many stay in all, the pinned ones not counted. */
  readonly maxToKeep: number;
  /** Metrics whose best checkpoint stays whatever the policies say, besides those the policies monitor. */
  readonly monitors?: readonly Monitor[];
  /** Steps that stay whatever else is said. */
  readonly pinned?: ReadonlySet<number>;
}

/**
 * Returns the steps of the checkpoints that stay, ascending: the pinned ones, the newest one, the best by each monitored
 * metric, and what the policies keep. If that is more than `maxToKeep`, the oldest go first, but never the pinned, the
 * newest or a best. `checkpoints` have to be in the order of their steps, each step once; the cost grows with their
 * number, not faster.
 *
 * @throws {CkptError} INVALID_OPTION when `maxToKeep` leaves no room for the newest and the best.
 */
export function selectKept(
  checkpoints: readonly RetentionCandidate[],
  { keep, maxToKeep, monitors = [], pinned = new Set() }: SelectKeptOptions,
): readonly number[] {
  const watched = new Map(
    [...keep.flatMap((policy) => policy.monitors), ...monitors].map((watch) => [
      `${watch.monitor} ${watch.mode}`,
      watch,
    ]),
  );
  const least = 1 + watched.size;
  requireNumber(
    "maxToKeep",
    maxToKeep,
    `an integer of at least ${least}`,
    (count) => Number.isSafeInteger(count) && count >= least,
  );
  if (keep.length === 0 && checkpoints.length <= maxToKeep) return checkpoints.map(({ step }) => step);

  const kept = new Set<number>();
  const protectedOnes = [checkpoints.at(-1), ...[...watched.values()].map((monitor) => findBest(checkpoints, monitor))];
  for (const checkpoint of protectedOnes) {
    if (checkpoint !== undefined && !pinned.has(checkpoint.step)) kept.add(checkpoint.step);
  }
  const wanted = keep.length === 0 ? undefined : new Set(keep.flatMap((policy) => policy.select(checkpoints)));
  for (let index = checkpoints.length - 1; index >= 0 && kept.size < maxToKeep; index--) {
    const { step } = checkpoints[index] as RetentionCandidate;
    if ((wanted === undefined || wanted.has(step)) && !pinned.has(step)) kept.add(step);
  }
  const staying: number[] = [];
  for (const { step } of checkpoints) if (kept.has(step) || pinned.has(step)) staying.push(step);
  return staying;
}
