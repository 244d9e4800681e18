import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  type Checkpointer,
  type CheckpointerOptions,
  createCheckpointer,
  earlyStopping,
  everyEpochs,
  everySteps,
  type FitCallbackOptions,
  onImprovement,
  openRun,
  type SavePolicy,
  type Run,
} from "../src/index.js";
import { createModel, data, disposeModels, readWeights, toTensors } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const validation = await toTensors(data.validation);
const training = await toTensors(data.train);

async function fit(
  path: string,
  save: SavePolicy,
  train: (model: tf.LayersModel, callback: tf.CustomCallback, run: Run) => Promise<unknown>,
  measureEverySteps?: number,
): Promise<{ readonly saved: readonly number[]; readonly run: Run; readonly weights: readonly number[] }> {
  const run = await openRun({ path, isResuming: true });
  const model = createModel("adam");
  const checkpointer = await createCheckpointer({ run, model, save });
  const callback = checkpointer.callback(measureEverySteps === undefined ? {} : { validation, measureEverySteps });
  await train(model, callback, run);
  await checkpointer.finish("completed");
  const weights = readWeights(model);
  disposeModels(model);
  return { saved: checkpointer.checkpoints.map(({ step }) => step), run, weights };
}

describe("the callback of model.fit", () => {
  it("counts each update as a step and each epoch's last as its end", async () => {
    const path = join(await makeTestFolder(), "run");
    const { saved, run } = await fit(path, everyEpochs(1), (model, callback) =>
      model.fit(training.x, training.y, { epochs: 2, batchSize: 16, callbacks: [callback] }),
    );
    expect(saved).toEqual([4, 8]);
    expect(run.history.map(({ step, epoch }) => [step, epoch])).toEqual([
      [4, 1],
      [8, 2],
    ]);
    expect(Object.keys(run.history[0]?.metrics ?? {}).toSorted()).toEqual(["acc", "loss"]);
  });

  it("records what fit itself reports at the end of an epoch", async () => {
    const path = join(await makeTestFolder(), "run");
    let reported: readonly unknown[] = [];
    const { run, saved } = await fit(path, onImprovement({ monitor: "val_loss" }), async (model, callback) => {
      const { history } = await model.fit(training.x, training.y, {
        epochs: 2,
        batchSize: 16,

        validationData: [validation.x, validation.y],
        callbacks: [callback],
      });
      reported = history["val_loss"] ?? [];
    });
    expect(run.history.map(({ metrics }) => metrics["val_loss"])).toEqual(reported);
    expect(saved[0]).toBe(4);
  });

  it("measures by itself every few updates, right after the update", async () => {
    const path = join(await makeTestFolder(), "run");
    const expected: number[] = [];
    const { run } = await fit(
      path,
      everySteps(3),
      (model, callback) => {
        const probe = new tf.CustomCallback({
          onBatchEnd: async () => {
            const [loss] = model.evaluate(validation.x, validation.y) as tf.Scalar[];
            expected.push((await loss?.data())?.[0] ?? Number.NaN);
          },
        });
        return model.fit(training.x, training.y, {
          epochs: 2,
          batchSize: 16,

          callbacks: [probe, callback],
        });
      },
      3,
    );
    expect(run.history.map(({ step }) => step)).toEqual([3, 4, 6, 8]);
    const losses = run.history.map(({ metrics }) => metrics["val_loss"]);
    expect(losses).toEqual([2, 3, 5, 7].map((index) => expected[index]));
  });

  it("works with fitDataset, whose number of batches is not known beforehand", async () => {
    const path = join(await makeTestFolder(), "run");
    const before = tf.memory().numTensors;
    const rows = await data.train.read(0, 50);
    const features = rows.inputs["x"]?.data ?? new Float32Array();
    const dataset = tf.data
      .generator(function* () {
        for (let row = 0; row < 50; row++) {
          yield {
            xs: features.slice(row * 4, row * 4 + 4),
            ys: [rows.labels.data[row] ?? 0],
          };
        }
      })
      .batch(16);
    const { saved, run } = await fit(
      path,
      everySteps(5),
      (model, callback) =>
        model.fitDataset(dataset, {
          epochs: 3,

          callbacks: [callback],
        }),
      6,
    );
    expect(saved).toEqual([5, 10]);
    expect(run.history.map(({ step, epoch }) => [step, epoch])).toEqual([
      [4, 1],
      [6, 1],
      [8, 2],
      [12, 3],
    ]);
    expect(Object.keys(run.history[1]?.metrics ?? {})).toEqual(["val_loss", "val_acc"]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("goes on at an epoch's end bit for bit where nothing is random", async () => {
    const folder = await makeTestFolder();
    const initial = createModel();
    const fitFrom = (
      run: Run,
      model: tf.LayersModel,
      callback: tf.CustomCallback,
      epochs: number,
    ): Promise<unknown> => {
      // The same initial weights each time, and no dropout: `fit` shuffles and masks by Math.random.
      if (run.resumePoint === undefined) model.setWeights(initial.getWeights());
      (model.getLayer("drop") as unknown as { rate: number }).rate = 0;
      const initialEpoch = run.resumePoint?.content.progress.position.epoch ?? 0;
      return model.fit(training.x, training.y, {
        initialEpoch,
        epochs,
        batchSize: 16,
        shuffle: false,

        callbacks: [callback],
      });
    };
    const whole = await fit(join(folder, "whole"), everyEpochs(1), (model, callback, run) =>
      fitFrom(run, model, callback, 4),
    );
    const path = join(folder, "parts");
    const model = createModel();
    const run = await openRun({ path });
    const checkpointer = await createCheckpointer({ run, model, save: everyEpochs(1) });
    await fitFrom(run, model, checkpointer.callback(), 2);
    await checkpointer.close();
    const parts = await fit(path, everyEpochs(1), (model, callback, run) => fitFrom(run, model, callback, 4));
    expect(parts.weights).toEqual(whole.weights);
    expect(parts.run.history).toEqual(whole.run.history);
    expect(parts.saved).toEqual([4, 8, 12, 16]);
  });
});

interface Stopped {
  readonly checkpointer: Checkpointer;
  readonly saved: readonly (readonly [number, string])[];
  readonly result: unknown;
}

/** Fits four updates an epoch; `abortAt` is the update during which the signal comes. */
async function fitUntil(
  options: Pick<CheckpointerOptions, "save" | "stop">,
  abortAt?: number,
  callbackOptions: FitCallbackOptions = {},
): Promise<Stopped> {
  const path = join(await makeTestFolder(), "run");
  const model = createModel("adam");
  const controller = new AbortController();
  const run = await openRun({ path });
  const checkpointer = await createCheckpointer({ run, model, signal: controller.signal, ...options });
  let updates = 0;
  const aborting = new tf.CustomCallback({
    onBatchEnd: async () => {
      if (++updates === abortAt) controller.abort();
    },
  });
  await model.fit(training.x, training.y, {
    epochs: 5,
    batchSize: 16,
    callbacks: [aborting, checkpointer.callback(callbackOptions)],
  });
  expect(updates).toBe(checkpointer.position.step);
  expect(model.optimizer.iterations).toBe(updates);
  await checkpointer.finish();
  const { result } = JSON.parse(await readFile(join(path, "run.json"), "utf8")) as { readonly result: unknown };
  const saved = checkpointer.checkpoints.map(({ step, manifest }) => [step, manifest.reason] as const);
  expect((await verifyRun(path)).problems).toEqual([]);
  disposeModels(model);
  return { checkpointer, saved, result };
}

describe("a fit that is to stop", () => {
  it.each([
    [1, { step: 1, epoch: 0, batch: 1 }],
    [3, { step: 3, epoch: 0, batch: 3 }],
    [4, { step: 4, epoch: 1, batch: 0 }],
    [6, { step: 6, epoch: 1, batch: 2 }],
    [8, { step: 8, epoch: 2, batch: 0 }],
  ])("stops at the update at which a signal comes, the %s., with its state saved", async (abortAt, position) => {
    const { checkpointer, saved, result } = await fitUntil({ save: everySteps(100) }, abortAt);
    expect(checkpointer.position).toEqual(position);
    expect(saved).toEqual([[abortAt, "stopped before the end"]]);
    expect(result).toEqual({ step: abortAt, epoch: position.epoch, reason: "stopped", cause: "a signal" });
  });

  it("stops at an epoch's end by what was measured there", async () => {
    const stop = earlyStopping({ monitor: "val_loss", mode: "max", patience: 2 });
    const { checkpointer, result } = await fitUntil({ save: everyEpochs(1), stop }, undefined, { validation });
    expect(checkpointer.position).toEqual({ step: 12, epoch: 3, batch: 0 });
    expect(result).toMatchObject({
      step: 12,
      reason: "completed",
      cause: expect.stringContaining("val_loss") as string,
    });
  });

  it("stops within an epoch, one update after the measurement that said so", async () => {
    const stop = earlyStopping({ monitor: "val_loss", mode: "max", patience: 1 });
    const { checkpointer } = await fitUntil({ save: everySteps(1), stop }, undefined, {
      validation,
      measureEverySteps: 1,
    });
    expect(checkpointer.position).toEqual({ step: 3, epoch: 0, batch: 3 });
  });
});
