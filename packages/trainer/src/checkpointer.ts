import type { Json, Metrics, StopReason } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import type { Checkpoint, SkippedCheckpoint } from "./checkpoint-store.js";
import type { FitCallbackOptions } from "./fit-callback.js";
import type { MonitorOptions } from "./metric-mode.js";
import type { NamedArray } from "./named-array.js";
import type { RetentionPolicy } from "./retention-policy.js";
import type { Run } from "./run.js";
import type { SavePolicy } from "./save-policy.js";
import type { WhenSaving } from "./save-queue.js";
import type { SeededRandom } from "./seeded-random.js";
import type { StopPolicy } from "./stop-policy.js";
import type { TrainingPosition } from "./training-state-document.js";
import type { TrainingState } from "./training-state.js";

/** What is checkpointed, when it is saved, which checkpoints stay, and when training stops. */
export interface CheckpointerOptions {
  /** From `openRun`, not complete. If it has a resume point, that is put back into `model` before anything else. */
  readonly run: Run;
  /** What is trained: a LayersModel that has its weights, or any other state that can be copied and put back. */
  readonly model: tf.LayersModel | TrainingState;
  /** For a LayersModel trained by an optimizer it was not compiled with. */
  readonly optimizer?: tf.Optimizer;
  /** When to save. */
  readonly save: SavePolicy;
  /** What stays. Default: everything, up to `maxToKeep`. */
  readonly keep?: readonly RetentionPolicy[];
  /**
   * At most so many checkpoints stay; the newest and the best by each monitored metric always do. Pinned ones, the one
   * resumed from until the run is done, and those that another process reads stay besides. Default: 150.
   */
  readonly maxToKeep?: number;
  /** When to stop before the planned end. Default: never. */
  readonly stop?: StopPolicy;
  /** Once aborted, as by {@link watchSignals}, training is to stop at the next step; `finish` saves where it stands. */
  readonly signal?: AbortSignal;
  /** What becomes of a save that is due while another is being written. Default: `wait`, the only one that gives the
   *  same checkpoints each time. */
  readonly whenSaving?: WhenSaving;
  /** What stands in the place of `Math.random`, so that its state is saved and put back too. */
  readonly random?: SeededRandom;
  /**
   * Rows of real data that every checkpoint carries, one array for each input of the model, in its order, the rows first:
   * a model frozen from the checkpoint is compared with it on them. Default: none.
   */
  readonly probe?: readonly NamedArray[];
  /** Weights above this size go to several files. Default: 1 GiB. */
  readonly maxShardSizeBytes?: number;
  /** Called when a checkpoint is on disk. */
  readonly onSave?: (event: SaveEvent) => void;
}

/** A checkpoint that is on disk now. */
export interface SaveEvent {
  readonly checkpoint: Checkpoint;
  /** Steps of the checkpoints that retention removed. */
  readonly removed: readonly number[];
  /** How long training stood still. */
  readonly blockedMs: number;
  /** From when training stood still until the checkpoint was on disk. */
  readonly totalMs: number;
  readonly sizeBytes: number;
}

/** What else there is to say about an update. */
export interface StepOptions {
  /** This update was the last one of an epoch. Default: false. */
  readonly isEpochEnd?: boolean;
  /** What the loop itself needs to go on from here; it is found in {@link Checkpointer.loop} after a resume. */
  readonly loop?: Json;
}

/** What came of one step. */
export interface StepOutcome {
  readonly step: number;
  /** The state was copied and is being written; {@link CheckpointerOptions.onSave} is called when it is on disk. */
  readonly isSaving: boolean;
}

/** Why training is to stop before its planned end. */
export interface Stopping {
  /** `stopped`: to be resumed. `completed`: a stop policy has seen enough. */
  readonly reason: StopReason;
  readonly cause: string;
}

/** Saves checkpoints of a training loop. */
export interface Checkpointer {
  /** Where training stands; after a resume, where to go on. */
  readonly position: TrainingPosition;
  /** What the loop stored at the checkpoint resumed from; `null` if nothing. */
  readonly loop: Json;
  /** The checkpoints that are on disk, by step. */
  readonly checkpoints: readonly Checkpoint[];
  /** Damaged checkpoints: the run's, and those that would have been the best. The latter are left where they are. */
  readonly skipped: readonly SkippedCheckpoint[];
  /** Set once training is to stop: by a stop policy, or by the signal. */
  readonly stopping: Stopping | undefined;
  /**
   * To be called once after each optimizer update, with what was measured there, if anything was. Names of validation
   * metrics begin with `val_`. If a save is due the state is copied; it is written after this has resolved.
   *
   * @throws {CkptError} METRIC_NOT_FOUND when a monitored metric is missing from the first measurement with any
   *   validation metric; FILE_SYSTEM when an earlier save failed: the step is counted then, but not saved, and what was
   *   committed before is still there.
   */
  step(metrics?: Metrics, options?: StepOptions): Promise<StepOutcome>;
  /**
   * Waits until every save is on disk.
   *
   * @throws {CkptError} FILE_SYSTEM when one failed.
   */
  drain(): Promise<void>;
  /** Makes a callback that does all this for one call of `model.fit` or `model.fitDataset`. */
  callback(options?: FitCallbackOptions): tf.CustomCallback;
  latest(): Checkpoint | undefined;
  /** The best checkpoint by a metric; by default the first that the policies monitor. */
  best(options?: MonitorOptions): Checkpoint | undefined;
  /**
   * Ends the run and closes it. `completed`: there is nothing to resume. `stopped`: a checkpoint is saved where training
   * stands, if none was, for a later resume, which leaves the run as if it had never been stopped. Default: what
   * {@link Checkpointer.stopping} says, or `completed`.
   *
   * @returns The checkpoint whose weights were put back, if the stop policy restores the best.
   * @throws {CkptError} METRIC_NOT_FOUND when a run completes without a monitored metric ever having been measured;
   *   FILE_SYSTEM when a save failed.
   */
  finish(reason?: StopReason): Promise<{ readonly restored?: Checkpoint }>;
  /**
   * Closes the run without ending it, as after an error: it can be resumed from its latest checkpoint. Given the error
   * that ended the loop, it asks the save policy once more, for `onException`; the weights have to be as they were at the
   * last `step` for a resume from there to be exact.
   *
   * @throws {CkptError} FILE_SYSTEM when a save failed.
   */
  close(error?: unknown): Promise<void>;
}
