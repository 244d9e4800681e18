import type { CheckpointManifest } from "@ckpt/manifest";

import type { Checkpoint } from "./checkpoint-store.js";
import type { Monitor } from "./metric-mode.js";
import { type RetentionCandidate, type RetentionPolicy, selectKept } from "./retention-policy.js";

/** What decides which checkpoints stay. */
export interface CheckpointSetOptions {
  readonly keep: readonly RetentionPolicy[];
  readonly maxToKeep: number;
  readonly monitors: readonly Monitor[];
  /** Saved for a resume only: it counts for nothing, and goes when another is saved or the run is done. */
  readonly isInterim: (checkpoint: Pick<Checkpoint, "manifest"> | Pick<NextCheckpoint, "manifest">) => boolean;
  /** Stays, without being counted, until the run is done. */
  readonly resumedStep?: number;
  /** Steps that stay without being counted. */
  readPinned(): Promise<ReadonlySet<number>>;
}

/** A checkpoint that is about to be written. */
export interface NextCheckpoint extends RetentionCandidate {
  readonly manifest: Omit<CheckpointManifest, "files">;
}

/** The checkpoints of a run that are on disk. */
export interface CheckpointSet {
  /** By step, ascending. */
  list(): readonly Checkpoint[];
  has(step: number): boolean;
  add(saved: Checkpoint): void;
  /** Takes note that these folders were deleted; returns their steps. */
  remove(paths: readonly string[]): readonly number[];
  /** Those that are not to stay once `next` is on disk, or once the run is done. */
  findSuperfluous(moment: {
    readonly next?: NextCheckpoint;
    readonly isDone?: boolean;
  }): Promise<readonly Checkpoint[]>;
}

/**
 * Makes the set of the checkpoints that are there already, in the order of their steps.
 *
 * @throws {CkptError} INVALID_OPTION when `maxToKeep` leaves no room for the newest and the best.
 */
export function createCheckpointSet(found: readonly Checkpoint[], options: CheckpointSetOptions): CheckpointSet {
  const { keep, maxToKeep, monitors, isInterim, resumedStep } = options;
  selectKept([], { keep, maxToKeep, monitors });
  let checkpoints = found;
  let hasInterim = found.some(isInterim);
  const isNewest = (step: number): boolean => step > (checkpoints.at(-1)?.step ?? -1);
  // Once the policies have let go of it they are not asked about it again: an uninterrupted run would not have it.
  let isResumedReleased = false;
  return {
    list: () => checkpoints,
    has: (step) => !isNewest(step) && checkpoints.some((checkpoint) => checkpoint.step === step),
    add: (saved) => {
      // Saved again at the end, it is as good as any other.
      if (saved.step === resumedStep) isResumedReleased = false;
      const others = isNewest(saved.step) ? checkpoints : checkpoints.filter(({ step }) => step !== saved.step);
      checkpoints = [...others, saved];
      hasInterim ||= isInterim(saved);
    },
    remove: (paths) => {
      if (paths.length === 0) return [];
      const gone = new Set(paths);
      const removed = checkpoints.filter(({ path }) => gone.has(path));
      checkpoints = checkpoints.filter(({ path }) => !gone.has(path));
      return removed.map(({ step }) => step);
    },
    findSuperfluous: async ({ next, isDone = false }) => {
      const isCounted = next !== undefined && !isInterim(next);
      // Of 10,000 checkpoints that all stay none has to be looked at: that took 60 times as long as the rest of a step.
      const isRoom = keep.length === 0 && checkpoints.length + Number(isCounted) <= maxToKeep;
      if (isRoom && !hasInterim && !isResumedReleased) return [];
      const others = checkpoints.filter(({ step }) => step !== next?.step);
      const regular: readonly RetentionCandidate[] = others.filter(
        (checkpoint) => !isInterim(checkpoint) && !(isResumedReleased && checkpoint.step === resumedStep),
      );
      const candidates = isCounted ? [...regular, next] : regular;
      const select = (pinned: ReadonlySet<number>): ReadonlySet<number> =>
        new Set(selectKept(candidates, { keep, maxToKeep, monitors, pinned }));
      const unpinned = select(new Set());
      // Where all stay, there is nothing for a pin to keep.
      const kept = regular.every(({ step }) => unpinned.has(step)) ? unpinned : select(await options.readPinned());
      if (resumedStep !== undefined && !kept.has(resumedStep)) isResumedReleased = true;
      return others.filter((checkpoint) => {
        if (checkpoint.step === resumedStep && !isDone) return false;
        return isInterim(checkpoint) ? isCounted || isDone : !kept.has(checkpoint.step);
      });
    },
  };
}
