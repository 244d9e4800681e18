import { CkptError, type Json, type Metrics } from "@ckpt/manifest";

import { serializeCheckpoint } from "./checkpoint-files.js";
import { createCheckpointSet } from "./checkpoint-set.js";
import { type Checkpoint, describeCheckpoint, describeManifest, listCheckpoints } from "./checkpoint-store.js";
import type { Checkpointer, CheckpointerOptions, Stopping } from "./checkpointer.js";
import { dropDamagedBest } from "./drop-damaged-best.js";
import { findBest } from "./find-best.js";
import { createFitCallback } from "./fit-callback.js";
import { createLayersModelState } from "./layers-model-state.js";
import { type Monitor, resolveMonitor } from "./metric-mode.js";
import type { Moment } from "./moment.js";
import { createMonitorCheck } from "./monitor-check.js";
import { createPolicyMemory } from "./policy-memory.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import type { RunTaskResults, SaveTask } from "./run-task.js";
import type { Run } from "./run.js";
import { createSaveQueue } from "./save-queue.js";
import { restoreError } from "./sent-error.js";
import type { TrainingPosition } from "./training-state-document.js";

/** At most so many checkpoints stay by default: enough to see a run's whole course, few enough for a laptop's disk. */
export const defaultMaxToKeep = 150;

/** Reasons of checkpoints that no policy asked for: they go when the run is done, or the next one is saved. */
const stoppedReason = "stopped before the end";
const exceptionReason = "an error ended the loop";
const interimReasons: ReadonlySet<string> = new Set([stoppedReason, exceptionReason]);

/** What a checkpoint stores of the stop policy: its word, too, so that a process that dies after it does not go on. */
type StopMemory = { readonly state: Json; readonly cause: string | null };

/** A copied state with what its manifest and the task of writing it say. */
type Capture = Pick<SaveTask, "manifest" | "files" | "packed" | "timing"> & { readonly metrics: Metrics };

/**
 * Makes a checkpointer for an open run, and puts the state of the run's resume point back into the model.
 *
 * @throws {CkptError} INVALID_OPTION when `maxToKeep` leaves no room for the newest and the best checkpoints, or
 *   `maxShardSizeBytes` is no size; WEIGHTS_MISMATCH when the run was trained with another model or optimizer.
 */
export async function createCheckpointer(options: CheckpointerOptions): Promise<Checkpointer> {
  const { run, save, keep = [], maxToKeep = defaultMaxToKeep, stop, signal, whenSaving = "wait", random } = options;
  if (options.maxShardSizeBytes !== undefined) requirePositiveInteger("maxShardSizeBytes", options.maxShardSizeBytes);
  if (run.isComplete) throw new TypeError(`the run ${run.path} is complete: there is nothing to checkpoint`);
  const { clock } = run;
  const monitors: readonly Monitor[] = [
    ...save.monitors,
    ...keep.flatMap((policy) => policy.monitors),
    ...(stop?.monitors ?? []),
  ];
  const resumed = run.resumePoint;
  const progress = resumed?.content.progress;
  const state = "snapshot" in options.model ? options.model : createLayersModelState(options.model, options.optimizer);

  const probe = options.probe?.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const probeFields = probe === undefined || probe.length === 0 ? {} : { probe };

  let position: TrainingPosition = progress?.position ?? { step: 0, epoch: 0, batch: 0 };
  const policy = createPolicyMemory(save, progress?.policy ?? save.initialState);
  const stopStored = stop === undefined ? undefined : (progress?.stop as StopMemory | undefined);
  let stopMemory: StopMemory = stopStored ?? { state: stop?.initialState ?? null, cause: null };
  let loop: Json = progress?.loop ?? null;
  let lastMetrics: Metrics = resumed?.checkpoint.metrics ?? {};
  let lastSavedMs = clock.monotonicMs();
  const startedMs = lastSavedMs;
  const { checkpoints: found, skipped } = await findCheckpoints(run, monitors);
  const checkpoints = createCheckpointSet(found, {
    keep,
    maxToKeep,
    monitors,
    isInterim: ({ manifest }) => interimReasons.has(manifest.reason),
    // A process that goes on from it may yet need to do so again.
    ...(resumed === undefined ? {} : { resumedStep: resumed.checkpoint.step }),
    readPinned: () => run.readPinned(),
  });
  const trainedBeforeMs = 1000 * (found.at(-1)?.trainedSeconds ?? 0);
  if (resumed !== undefined) {
    await state.restore(resumed.content.state, resumed.checkpoint.path);
    if (random !== undefined && progress?.random) random.setState(progress.random);
  }
  const check = createMonitorCheck(monitors);
  for (const { metrics } of run.history) check.observe(metrics);

  const prune = async (isDone: boolean): Promise<void> => {
    const paths = (await checkpoints.findSuperfluous({ isDone })).map(({ path }) => path);
    if (paths.length === 0) return;
    const { removed, problem } = await run.submit({ kind: "remove", run: run.path, paths });
    checkpoints.remove(removed);
    if (problem !== undefined) throw restoreError(problem);
  };

  const commit = async ({ manifest, metrics, files, packed, timing }: Capture): Promise<RunTaskResults["save"]> => {
    // A checkpoint whose measurements are not on disk could not be resumed from.
    await run.drain();
    const { step } = manifest;
    const next = { step, metrics, manifest, ...trainedSecondsOf(timing) };
    const superfluous = await checkpoints.findSuperfluous({ next });
    const previous = checkpoints.list().at(-1);
    return run.submit({
      kind: "save",
      run: run.path,
      manifest,
      files,
      packed,
      timing,
      isReplacing: checkpoints.has(step),
      ...(previous === undefined ? {} : { previous: { path: previous.path, files: previous.manifest.files } }),
      superfluous: superfluous.map(({ path }) => path),
    });
  };
  const write = async (capture: Capture): Promise<void> => {
    const { manifest, timing } = capture;
    const result = await commit(capture).catch((error: unknown) => {
      policy.settle(manifest.step, false);
      throw error;
    });
    policy.settle(manifest.step, true);
    const saved = { ...describeCheckpoint(run.path, result.manifest), ...trainedSecondsOf(timing) };
    checkpoints.add(saved);
    const removed = checkpoints.remove(result.removed);
    options.onSave?.({
      checkpoint: saved,
      removed,
      blockedMs: timing.blockedMs,
      totalMs: result.durationMs,
      sizeBytes: result.manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    });
    if (result.problem !== undefined) throw restoreError(result.problem);
  };
  const queue = createSaveQueue<Capture>({
    whenSaving,
    write,
    isIrreplaceable: ({ metrics, manifest: { step } }) =>
      monitors.some((monitor) => findBest([...checkpoints.list(), { step, metrics }], monitor)?.step === step),
    onReplaced: ({ manifest }) => policy.settle(manifest.step, false),
  });
  const throwFailure = (): void => {
    const failure = queue.takeFailure() ?? run.takeFailure();
    if (failure !== undefined) throw failure;
  };

  /** Copies the state and hands it to the writer; at a `moment` that the policy was not told of, it is told now. */
  const capture = (reason: string, sinceMs: number, moment?: Moment): Promise<boolean> =>
    queue.add(async (buffer) => {
      const snapshot = await state.snapshot();
      const { step, epoch } = position;
      const { arrays, files } = serializeCheckpoint(
        snapshot,
        {
          position,
          historyCount: run.history.length,
          policy: moment === undefined ? policy.state : policy.stateIfSaved(moment),
          ...(stop === undefined ? {} : { stop: stopMemory }),
          random: random?.getState() ?? null,
          loop,
        },
        options.maxShardSizeBytes,
        options.probe,
      );
      const packed = buffer.pack(arrays);
      if (moment !== undefined) policy.advance(moment, true);
      const nowMs = clock.monotonicMs();
      const trainedMs = trainedBeforeMs + nowMs - startedMs;
      lastSavedMs = nowMs;
      return {
        manifest: describeManifest({
          step,
          epoch,
          metrics: lastMetrics,
          reason,
          signature: snapshot.signature,
          ...probeFields,
        }),
        files,
        packed,
        metrics: lastMetrics,
        timing: {
          stage: "train",
          action: "save",
          subject: `step ${step}`,
          at: clock.wallTime().toISOString(),
          blockedMs: nowMs - sinceMs,
          trainedMs,
        },
      };
    });
  const createMoment = (cause: Moment["cause"], metrics: Metrics, isEpochEnd: boolean): Moment => ({
    step: position.step,
    epoch: position.epoch,
    metrics,
    isEpochEnd,
    cause,
    secondsSinceSave: (clock.monotonicMs() - lastSavedMs) / 1000,
    isIdle: queue.isIdle,
    history: run.history,
  });
  const latest = (): Checkpoint | undefined => checkpoints.list().at(-1);
  const isSavedHere = (): boolean => {
    const newest = latest();
    return newest?.step === position.step && !interimReasons.has(newest.manifest.reason);
  };

  // A process may have died between a commit and the removals it called for.
  await prune(false);

  const step: Checkpointer["step"] = async (metrics = {}, { isEpochEnd = false, loop: nextLoop = null } = {}) => {
    const sinceMs = clock.monotonicMs();
    const { step: done, epoch, batch } = position;
    position = isEpochEnd
      ? { step: done + 1, epoch: epoch + 1, batch: 0 }
      : { step: done + 1, epoch, batch: batch + 1 };
    loop = nextLoop;
    lastMetrics = metrics;
    if (Object.keys(metrics).length > 0) {
      run.appendMeasurement({ step: position.step, epoch: position.epoch, metrics });
      check.observe(metrics);
    }
    const moment = createMoment("update", metrics, isEpochEnd);
    if (stop !== undefined) {
      const decision = stop.advance(moment, stopMemory.state);
      stopMemory = { state: decision.state, cause: stopMemory.cause ?? decision.stop ?? null };
    }
    const isDue = policy.shouldSave(moment);
    if (isDue && whenSaving === "wait") await queue.drain();
    let isSaving = false;
    try {
      throwFailure();
      isSaving = isDue && (await capture(save.description, sinceMs, moment));
    } finally {
      if (!isSaving) policy.advance(moment, false);
    }
    return { step: position.step, isSaving };
  };

  const drain: Checkpointer["drain"] = async () => {
    await queue.drain();
    await run.drain();
    throwFailure();
  };
  const restoreBest = async (): Promise<Checkpoint | undefined> => {
    const best = stop?.restoreBest === undefined ? undefined : findBest(checkpoints.list(), stop.restoreBest);
    if (best !== undefined) await state.restore((await run.readContent(best)).state, best.path);
    return best;
  };
  const currentStopping = (): Stopping | undefined => {
    if (stopMemory.cause !== null) return { reason: "completed", cause: stopMemory.cause };
    return signal?.aborted === true ? { reason: "stopped", cause: "a signal" } : undefined;
  };

  let isEnded = false;
  const finish: Checkpointer["finish"] = async (given) => {
    const stopping = currentStopping();
    const reason = given ?? stopping?.reason ?? "completed";
    await drain();
    let restored: Checkpoint | undefined;
    if (reason === "completed") {
      check.conclude();
      const isDue = policy.shouldSave(createMoment("end", lastMetrics, false));
      if (isDue && !isSavedHere()) await capture(save.description, clock.monotonicMs());
      await drain();
      await prune(true);
      restored = await restoreBest();
    } else if (position.step > 0 && latest()?.step !== position.step) {
      await capture(stoppedReason, clock.monotonicMs());
      await drain();
    }
    await run.writeResult({
      step: position.step,
      epoch: position.epoch,
      reason,
      ...(stopping?.reason === reason ? { cause: stopping.cause } : {}),
      ...(restored === undefined ? {} : { restoredStep: restored.step }),
    });
    isEnded = true;
    await run.close();
    return restored === undefined ? {} : { restored };
  };

  const checkpointer: Checkpointer = {
    get position() {
      return position;
    },
    get loop() {
      return loop;
    },
    get checkpoints() {
      return checkpoints.list();
    },
    skipped: [...run.skipped, ...skipped],
    get stopping() {
      return currentStopping();
    },
    step,
    drain,
    callback: (callbackOptions = {}) => createFitCallback(checkpointer, callbackOptions),
    latest,
    best: (monitorOptions) => {
      const monitor = monitorOptions === undefined ? monitors[0] : resolveMonitor(monitorOptions);
      if (monitor !== undefined) return findBest(checkpoints.list(), monitor);
      throw new CkptError("INVALID_OPTION", {
        option: "monitor",
        expected: "the name of a metric, since no policy monitors one",
        found: "nothing",
      });
    },
    finish,
    close: async (error) => {
      if (isEnded) return;
      isEnded = true;
      try {
        await queue.drain();
        const isDue =
          error !== undefined && position.step > 0 && policy.shouldSave(createMoment("exception", lastMetrics, false));
        if (isDue && latest()?.step !== position.step) await capture(exceptionReason, clock.monotonicMs());
        await drain();
      } finally {
        await run.close();
      }
    },
  };
  return checkpointer;
}

/** The checkpoints to go on with; none if training starts from the beginning. */
async function findCheckpoints(run: Run, monitors: readonly Monitor[]): ReturnType<typeof dropDamagedBest> {
  const { resumePoint, trainedTimes } = run;
  if (resumePoint === undefined) return { checkpoints: [], skipped: [] };
  const { step: newest } = resumePoint.checkpoint;
  const found = (await listCheckpoints(run.path)).checkpoints
    .filter(({ step }) => step <= newest)
    .map((checkpoint) => Object.assign({}, checkpoint, trainedTimes.get(checkpoint.step)));
  return dropDamagedBest(found, monitors, newest);
}

function trainedSecondsOf({ trainedMs }: { readonly trainedMs?: number }): { readonly trainedSeconds?: number } {
  return trainedMs === undefined ? {} : { trainedSeconds: trainedMs / 1000 };
}
