import {
  type Batch,
  CkptError,
  type DataRecord,
  digestBytes,
  type Json,
  serializeCanonicalJson,
  type Split,
  type StopReason,
} from "@ckpt/manifest";

import { tf } from "#tfjs";

import { type BatchConverter, createBatchConverter } from "./batch-tensors.js";
import { type Checkpoint, listCheckpoints, type SkippedCheckpoint } from "./checkpoint-store.js";
import type { Checkpointer } from "./checkpointer.js";
import { createCheckpointer, defaultMaxToKeep } from "./create-checkpointer.js";
import { describeModel } from "./describe-model.js";
import type { LearningRateSchedule } from "./learning-rate.js";
import { measureSplit } from "./measure-split.js";
import { readProbeRows } from "./probe-rows.js";
import { createPermutation, createRandom } from "./random.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import type { RetentionPolicy } from "./retention-policy.js";
import { createRowMeans } from "./row-mean.js";
import { openRun, type OpenRunOptions, type Run } from "./run.js";
import type { SavePolicy } from "./save-policy.js";
import type { WhenSaving } from "./save-queue.js";
import { createSeededRandom, type SeededRandom } from "./seeded-random.js";
import { setLearningRate } from "./set-learning-rate.js";
import type { StopPolicy } from "./stop-policy.js";
import type { TrainProgress } from "./train-progress.js";

/** What is trained on which splits, for how long, and what is saved and measured on the way. */
export interface TrainOptions extends Omit<OpenRunOptions, "path" | "data"> {
  /** The run's folder; made if it is not there. */
  readonly run: string;
  /**
   * A compiled model with one output, or a function that makes one. The function is called with `Math.random` seeded, so
   * that the initial weights follow the seed too; a model it makes is disposed of at the end.
   */
  readonly model: tf.LayersModel | (() => tf.LayersModel | Promise<tf.LayersModel>);
  readonly data: { readonly train: Split; readonly validation: Split };
  readonly epochs: number;
  /** Rows of one update; an epoch's last batch has what is left. */
  readonly batchSize: number;
  /** Optimizer updates between two measurements; the last update is measured always. Default: once an epoch. */
  readonly measureEverySteps?: number;
  /** When to save. It sees validation metrics at the steps that are measured only. */
  readonly save: SavePolicy;
  /** What stays. Default: everything, up to `maxToKeep`. */
  readonly keep?: readonly RetentionPolicy[];
  /** Default: 150. */
  readonly maxToKeep?: number;
  /** When to stop before the last epoch. Default: never. */
  readonly stop?: StopPolicy;
  /** The learning rate of each update. Default: the optimizer's own. */
  readonly learningRate?: LearningRateSchedule;
  /** What becomes of a save that is due while another is being written. Default: `wait`. */
  readonly whenSaving?: WhenSaving;
  /** Once aborted, training stops after the step that goes on, saves a checkpoint and returns `stopped`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** What came of a training run. */
export interface TrainOutcome {
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  readonly reason: StopReason;
  /** What ended it before its planned end, in words. */
  readonly cause?: string;
  /** The step whose weights were put back into the model at the end. */
  readonly restoredStep?: number;
  /** An earlier process had completed the run: nothing was done. */
  readonly isAlreadyComplete: boolean;
  /** The step training went on from; absent when it started from the beginning. */
  readonly resumedFrom?: number;
  /** Damaged checkpoints that were passed over. */
  readonly skipped: readonly SkippedCheckpoint[];
  /** The checkpoints that stay, by step. */
  readonly checkpoints: readonly Checkpoint[];
}

/**
 * Trains a LayersModel on a split, measures it on another every few steps, and saves checkpoints by a policy. With the
 * same options on the same machine and backend, the run's history and checkpoints are the same byte for byte, whether or
 * not it was interrupted and resumed on the way; on the backend tensorflow, with the same number of threads; with
 * policies that do not look at the clock. While the model is built, rows are gathered, and it is trained and measured,
 * `Math.random` is replaced.
 *
 * History has `loss` and the train metrics, means over the rows since the last measurement, and `val_loss` and
 * `val_<metric>` as {@link measureSplit} says.
 *
 * @throws {CkptError} What `openRun` and `createCheckpointer` throw; SIGNATURE_MISMATCH when data and model do not fit;
 *   METRIC_NOT_FINITE when the loss of a batch is not finite, since no later update can repair the weights: the run can
 *   be resumed from its latest checkpoint; INVALID_OPTION.
 */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  const { data, epochs, batchSize, seed = 0 } = options;
  requirePositiveInteger("epochs", epochs);
  requirePositiveInteger("batchSize", batchSize);
  const stepsPerEpoch = Math.ceil(data.train.rowCount / batchSize);
  const { measureEverySteps = stepsPerEpoch } = options;
  requirePositiveInteger("measureEverySteps", measureEverySteps);

  const random = createSeededRandom(seed);
  const isOwnModel = typeof options.model === "function";
  const model = typeof options.model === "function" ? await random.run(options.model) : options.model;
  try {
    const run = await openRun({
      ...options,
      path: options.run,
      seed,
      configDigest: options.configDigest ?? digestOptions(options, model, measureEverySteps),
      data: [toDataRecord(data.train), toDataRecord(data.validation)],
    });
    if (run.isComplete) return await describeComplete(run);
    try {
      const totalSteps = stepsPerEpoch * epochs;
      return await runLoop({ options, model, run, random, stepsPerEpoch, measureEverySteps, totalSteps });
    } finally {
      await run.close();
    }
  } finally {
    if (isOwnModel) {
      // A model disposes of its optimizer only if it made that itself.
      (model.optimizer as tf.Optimizer | undefined)?.dispose();
      model.dispose();
    }
  }
}

interface Loop {
  readonly options: TrainOptions;
  readonly model: tf.LayersModel;
  readonly run: Run;
  readonly random: SeededRandom;
  readonly stepsPerEpoch: number;
  readonly measureEverySteps: number;
  readonly totalSteps: number;
}

async function runLoop(loop: Loop): Promise<TrainOutcome> {
  const { options, model, run, random, totalSteps, stepsPerEpoch, measureEverySteps } = loop;
  const { data, save, keep = [], maxToKeep = defaultMaxToKeep, batchSize, stop, learningRate, seed = 0 } = options;
  const report = options.onProgress ?? (() => undefined);
  const convertTrain = createBatchConverter(model, data.train);
  const convertValidation = createBatchConverter(model, data.validation);
  const checkpointer = await createCheckpointer({
    run,
    model,
    save,
    keep,
    maxToKeep,
    random,
    probe: await random.run(() => readProbeRows(model, data.validation)),
    ...(stop === undefined ? {} : { stop }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.whenSaving === undefined ? {} : { whenSaving: options.whenSaving }),
    onSave: (event) => report({ kind: "save", step: event.checkpoint.step, totalSteps, ...event }),
  });
  const means = createRowMeans(model.metricsNames);
  if (checkpointer.loop !== null) means.setState(checkpointer.loop);
  report({ kind: "start", step: checkpointer.position.step, totalSteps, skipped: checkpointer.skipped });

  // Not so between an update and its `step`: the weights are ahead of the position then, and nothing to go on from.
  let isAtPosition = true;
  let order: { readonly epoch: number; readonly rows: Int32Array } | undefined;
  try {
    while (checkpointer.position.step < totalSteps && checkpointer.stopping === undefined) {
      const { step: done, epoch, batch: batchIndex } = checkpointer.position;
      if (order?.epoch !== epoch) {
        order = { epoch, rows: createPermutation(data.train.rowCount, createRandom(seed, `epoch-${epoch}`)) };
      }
      const step = done + 1;
      const rows = order.rows.subarray(batchIndex * batchSize, (batchIndex + 1) * batchSize);
      const batch = await random.run(() => data.train.gather(rows));
      if (learningRate !== undefined) setLearningRate(model.optimizer, learningRate.rateAt({ step: done, epoch }));
      isAtPosition = false;
      const values = await random.run(() => trainOnBatch(model, batch, convertTrain));
      const loss = values[0] ?? Number.NaN;
      if (!Number.isFinite(loss)) {
        throw new CkptError("METRIC_NOT_FINITE", { metric: "loss", where: `${run.path}, step ${step}`, found: loss });
      }
      means.add(values, batch.rowCount);

      const isEpochEnd = batchIndex + 1 === stepsPerEpoch;
      const isMeasured = step % measureEverySteps === 0 || step === totalSteps;
      const metrics = isMeasured ? await measure(loop, step, convertValidation, means.read()) : {};
      if (isMeasured) means.reset();
      await checkpointer.step(metrics, { isEpochEnd, loop: means.getState() });
      isAtPosition = true;
      const at = { step, totalSteps };
      report({ kind: "step", ...at, epoch: checkpointer.position.epoch, loss });
      if (isMeasured) report({ kind: "measure", ...at, epoch: checkpointer.position.epoch, metrics });
    }
  } catch (error) {
    // What cannot be saved now matters less than what went wrong.
    await checkpointer.close(isAtPosition ? error : undefined).catch(() => undefined);
    throw error;
  }
  return finish(loop, checkpointer);
}

async function trainOnBatch(model: tf.LayersModel, batch: Batch, convert: BatchConverter): Promise<readonly number[]> {
  const { inputs, labels } = convert(batch);
  try {
    const result = await model.trainOnBatch(inputs, labels);
    return Array.isArray(result) ? result : [result];
  } finally {
    tf.dispose([inputs, labels]);
  }
}

function measure(
  { options, model, run, random }: Loop,
  step: number,
  convert: BatchConverter,
  trained: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  return run.time("measure", step, async () => {
    const validated = await random.run(() => measureSplit(model, options.data.validation, convert));
    const prefixed = Object.entries(validated).map(([name, value]) => [`val_${name}`, value] as const);
    return { ...trained, ...Object.fromEntries(prefixed) };
  });
}

async function finish({ run }: Loop, checkpointer: Checkpointer): Promise<TrainOutcome> {
  const { stopping } = checkpointer;
  const { restored } = await checkpointer.finish();
  const resumedFrom = run.resumePoint?.checkpoint.step;
  return {
    step: checkpointer.position.step,
    epoch: checkpointer.position.epoch,
    reason: stopping?.reason ?? "completed",
    ...(stopping === undefined ? {} : { cause: stopping.cause }),
    ...(restored === undefined ? {} : { restoredStep: restored.step }),
    isAlreadyComplete: false,
    ...(resumedFrom === undefined ? {} : { resumedFrom }),
    skipped: checkpointer.skipped,
    checkpoints: checkpointer.checkpoints,
  };
}

async function describeComplete(run: Run): Promise<TrainOutcome> {
  const { checkpoints, skipped } = await listCheckpoints(run.path);
  const { step = 0, epoch = 0, reason = "completed", ...more } = run.manifest.result ?? {};
  return { step, epoch, reason, ...more, isAlreadyComplete: true, skipped, checkpoints };
}

function toDataRecord({ name, role, rowCount, digest }: Split): DataRecord {
  return { name, role, rowCount, digest };
}

/** Everything in the options that decides the training and has a value that can be compared. */
function digestOptions(options: TrainOptions, model: tf.LayersModel, measureEverySteps: number): string {
  const { epochs, batchSize, save, keep = [], maxToKeep = defaultMaxToKeep, stop, learningRate, seed = 0 } = options;
  const decisive: Json = {
    model: describeModel(model),
    epochs,
    batchSize,
    measureEverySteps,
    seed,
    save: save.description,
    keep: keep.map(({ description }) => description),
    maxToKeep,
    ...(stop === undefined ? {} : { stop: stop.description }),
    ...(learningRate === undefined ? {} : { learningRate: learningRate.description }),
  };
  return digestBytes(serializeCanonicalJson(decisive));
}
