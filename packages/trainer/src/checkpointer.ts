import { CkptError, type Json, type Metrics, removeFolder, type StopReason } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import { type Checkpoint, commitCheckpoint, listCheckpoints } from "./checkpoint-store.js";
import { findBest } from "./find-best.js";
import { createFitCallback, type FitCallbackOptions } from "./fit-callback.js";
import { createLayersModelState } from "./layers-model-state.js";
import { type Monitor, type MonitorOptions, resolveMonitor } from "./metric-mode.js";
import type { Moment } from "./moment.js";
import { createMonitorCheck } from "./monitor-check.js";
import { type RetentionPolicy, selectKept } from "./retention-policy.js";
import type { Run } from "./run.js";
import type { SavePolicy } from "./save-policy.js";
import type { SeededRandom } from "./seeded-random.js";
import type { TrainingPosition } from "./training-state-document.js";
import type { TrainingState } from "./training-state.js";

/** At most so many checkpoints stay by default: enough to see a run's whole course, few enough for a laptop's disk. */
export const defaultMaxToKeep = 150;

/** Reason of the checkpoint that an interrupted run leaves; it goes when the next one is saved. */
const stoppedReason = "stopped before the end";

/** What is checkpointed, when it is saved, and which checkpoints stay. */
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
  /** At most so many checkpoints stay; the newest and the best by each monitored metric always do. Default: 150. */
  readonly maxToKeep?: number;
  /** What stands in the place of `Math.random`, so that its state is saved and put back too. */
  readonly random?: SeededRandom;
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
  /** The checkpoint saved at this step, if one was. */
  readonly saved?: Checkpoint;
  /** Steps of the checkpoints that retention removed. */
  readonly removed: readonly number[];
}

/** Saves checkpoints of a training loop. */
export interface Checkpointer {
  /** Where training stands; after a resume, where to go on. */
  readonly position: TrainingPosition;
  /** What the loop stored at the checkpoint resumed from; `null` if nothing. */
  readonly loop: Json;
  /** The checkpoints that stay, by step. */
  readonly checkpoints: readonly Checkpoint[];
  /**
   * To be called once after each optimizer update, with what was measured there, if anything was. Names of validation
   * metrics begin with `val_`.
   *
   * @throws {CkptError} METRIC_NOT_FOUND when a monitored metric is missing from the first measurement with any
   *   validation metric; FILE_SYSTEM, after which what was committed before is still there.
   */
  step(metrics?: Metrics, options?: StepOptions): Promise<StepOutcome>;
  /** Makes a callback that does all this for one call of `model.fit` or `model.fitDataset`. */
  callback(options?: FitCallbackOptions): tf.CustomCallback;
  latest(): Checkpoint | undefined;
  /** The best checkpoint by a metric; by default the first that the policies monitor. */
  best(options?: MonitorOptions): Checkpoint | undefined;
  /**
   * Ends the run and closes it. `completed`: there is nothing to resume. `stopped`: a checkpoint is saved where training
   * stands, if none was, for a later resume, which leaves the run as if it had never been stopped.
   *
   * @throws {CkptError} METRIC_NOT_FOUND when a run completes without a monitored metric ever having been measured.
   */
  finish(reason: StopReason): Promise<void>;
  /** Closes the run without ending it, as after an error: it can be resumed from its latest checkpoint. */
  close(): Promise<void>;
}

/**
 * Makes a checkpointer for an open run, and puts the state of the run's resume point back into the model.
 *
 * @throws {CkptError} INVALID_OPTION when `maxToKeep` leaves no room for the newest and the best checkpoints;
 *   WEIGHTS_MISMATCH when the run was trained with another model or optimizer.
 */
export async function createCheckpointer(options: CheckpointerOptions): Promise<Checkpointer> {
  const { run, save, keep = [], maxToKeep = defaultMaxToKeep, random } = options;
  if (run.isComplete) throw new TypeError(`the run ${run.path} is complete: there is nothing to checkpoint`);
  const monitors: readonly Monitor[] = [...save.monitors, ...keep.flatMap((policy) => policy.monitors)];
  const retention = { keep, maxToKeep, monitors: save.monitors };
  selectKept([], retention);
  const state = "snapshot" in options.model ? options.model : createLayersModelState(options.model, options.optimizer);

  const resumed = run.resumePoint;
  const progress = resumed?.content.progress;
  let position: TrainingPosition = progress?.position ?? { step: 0, epoch: 0, batch: 0 };
  let policyState: Json = progress?.policy ?? save.initialState;
  let loop: Json = progress?.loop ?? null;
  let lastMetrics: Metrics = resumed?.checkpoint.metrics ?? {};
  let checkpoints: readonly Checkpoint[] =
    resumed === undefined
      ? []
      : (await listCheckpoints(run.path)).checkpoints.filter(({ step }) => step <= resumed.checkpoint.step);
  if (resumed !== undefined) {
    await state.restore(resumed.content.state, resumed.checkpoint.path);
    if (random !== undefined && progress?.random) random.setState(progress.random);
  }
  const check = createMonitorCheck(monitors);
  for (const { metrics } of run.history) check.observe(metrics);

  const commit = async (reason: string, nextPolicyState: Json): Promise<Checkpoint> => {
    const saved = await run.time("save", position.step, async () =>
      commitCheckpoint({
        run: run.path,
        snapshot: await state.snapshot(),
        progress: {
          position,
          historyCount: run.history.length,
          policy: nextPolicyState,
          random: random?.getState() ?? null,
          loop,
        },
        metrics: lastMetrics,
        reason,
        fileSystem: run.fileSystem,
      }),
    );
    checkpoints = [...checkpoints, saved];
    return saved;
  };
  const remove = async (isRemoved: (checkpoint: Checkpoint) => boolean): Promise<readonly number[]> => {
    const removed = checkpoints.filter(isRemoved);
    for (const checkpoint of removed) {
      await removeFolder(checkpoint.path, run.fileSystem);
      checkpoints = checkpoints.filter((kept) => kept !== checkpoint);
    }
    return removed.map(({ step }) => step);
  };
  /** A stopped run's own checkpoint counts for nothing here, so that a resumed run keeps what an uninterrupted one does. */
  const prune = async (): Promise<readonly number[]> => {
    const candidates = checkpoints.filter(({ manifest }) => manifest.reason !== stoppedReason);
    const kept = new Set(selectKept(candidates, retention));
    return remove((checkpoint) => candidates.includes(checkpoint) && !kept.has(checkpoint.step));
  };
  const removeStopped = (): Promise<readonly number[]> => remove(({ manifest }) => manifest.reason === stoppedReason);
  // A process may have died between a commit and the removals it called for.
  await prune();

  const step: Checkpointer["step"] = async (metrics = {}, { isEpochEnd = false, loop: nextLoop = null } = {}) => {
    const { step: done, epoch, batch } = position;
    position = isEpochEnd
      ? { step: done + 1, epoch: epoch + 1, batch: 0 }
      : { step: done + 1, epoch, batch: batch + 1 };
    loop = nextLoop;
    lastMetrics = metrics;
    const measurement = { step: position.step, epoch: position.epoch, metrics };
    if (Object.keys(metrics).length > 0) {
      await run.appendMeasurement(measurement);
      check.observe(metrics);
    }
    const moment: Moment = {
      ...measurement,
      cause: "update",
      isEpochEnd,
      history: run.history,
      secondsSinceSave: 0,
      isIdle: true,
    };
    if (!save.shouldSave(moment, policyState)) {
      policyState = save.advance(moment, false, policyState);
      return { step: position.step, removed: [] };
    }
    const nextPolicyState = save.advance(moment, true, policyState);
    const saved = await commit(save.description, nextPolicyState);
    policyState = nextPolicyState;
    const stopped = await removeStopped();
    return { step: position.step, saved, removed: [...stopped, ...(await prune())] };
  };

  const finish: Checkpointer["finish"] = async (reason) => {
    if (reason === "completed") {
      check.conclude();
      await removeStopped();
    } else if (position.step > 0 && checkpoints.at(-1)?.step !== position.step) {
      await commit(stoppedReason, policyState);
    }
    await run.writeResult({ step: position.step, epoch: position.epoch, reason });
    await run.close();
  };

  const checkpointer: Checkpointer = {
    get position() {
      return position;
    },
    get loop() {
      return loop;
    },
    get checkpoints() {
      return checkpoints;
    },
    step,
    callback: (callbackOptions = {}) => createFitCallback(checkpointer, callbackOptions),
    latest: () => checkpoints.at(-1),
    best: (monitorOptions) => {
      const monitor = monitorOptions === undefined ? monitors[0] : resolveMonitor(monitorOptions);
      if (monitor !== undefined) return findBest(checkpoints, monitor);
      throw new CkptError("INVALID_OPTION", {
        option: "monitor",
        expected: "the name of a metric, since no policy monitors one",
        found: "nothing",
      });
    },
    finish,
    close: () => run.close(),
  };
  return checkpointer;
}
