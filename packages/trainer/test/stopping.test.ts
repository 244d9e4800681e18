import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { checkpointPath, type Split, verifyRun } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  anyOf,
  atEnd,
  type Checkpointer,
  createCheckpointer,
  earlyStopping,
  everySteps,
  exponentialDecay,
  listCheckpoints,
  onException,
  openRun,
  train,
  type TrainOptions,
  type TrainOutcome,
} from "../src/index.js";
import { createModel, data, disposeModels, type OptimizerName, readRunFiles, readWeights } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const options = (run: string, optimizer: OptimizerName = "adam"): TrainOptions => ({
  run,
  name: "blobs",
  model: () => createModel(optimizer),
  data,
  epochs: 5,
  batchSize: 16,
  measureEverySteps: 2,
  save: everySteps(2),
  seed: 7,
});

async function trainUntil(step: number, base: TrainOptions): Promise<TrainOutcome> {
  const controller = new AbortController();
  const onProgress: TrainOptions["onProgress"] = (progress) => {
    if (progress.kind === "step" && progress.step === step) controller.abort();
  };
  return train({ ...base, signal: controller.signal, onProgress });
}

const readResult = async (run: string): Promise<unknown> =>
  (JSON.parse(await readFile(join(run, "run.json"), "utf8")) as { readonly result: unknown }).result;

const reasonsOf = async (run: string): Promise<readonly (readonly [number, string])[]> =>
  (await listCheckpoints(run)).checkpoints.map(({ step, manifest }) => [step, manifest.reason] as const);

// The loss falls, which by this mode is no improvement: best at the first measurement, stopped at the third.
const stop = earlyStopping({ monitor: "val_loss", mode: "max", patience: 2, restoreBest: true });

describe("early stopping", () => {
  it("ends training, says why, and puts the best saved weights back into the model it was given", async () => {
    const run = join(await makeTestFolder(), "run");
    const model = createModel("adam");
    const outcome = await train({ ...options(run), model, stop });
    const expected = {
      step: 6,
      epoch: 1,
      reason: "completed",
      cause: expect.stringMatching(/^val_loss did not improve for 2 measurements; best .* at step 2$/) as string,
      restoredStep: 2,
    };
    expect(outcome).toMatchObject({ ...expected, isAlreadyComplete: false });
    expect(await readResult(run)).toEqual(expected);
    const bytes = Uint8Array.from(await readFile(join(checkpointPath(run, 2), "weights.bin")));
    const saved = [...new Float32Array(bytes.buffer)];
    expect(readWeights(model)).toEqual(saved.slice(0, readWeights(model).length));
    expect(await train({ ...options(run), model, stop })).toMatchObject({ ...expected, isAlreadyComplete: true });
    expect((await verifyRun(run)).problems).toEqual([]);
    disposeModels(model);
  });

  it("comes at the same step with the same bytes wherever training was stopped before", async () => {
    const folder = await makeTestFolder();
    const base = { ...options(""), stop, maxToKeep: 2 };
    await train({ ...base, run: join(folder, "whole") });
    const whole = await readRunFiles(join(folder, "whole"));
    expect(whole["run.json"]).toContain('"restoredStep": 2');
    for (const step of [1, 2, 3, 4, 5]) {
      const run = join(folder, String(step));
      expect(await trainUntil(step, { ...base, run })).toMatchObject({ reason: "stopped", step, cause: "a signal" });
      await train({ ...base, run, isResuming: true });
      expect(await readRunFiles(run)).toEqual(whole);
    }
  });

  it("holds for a process that died between its word and the end", async () => {
    const path = join(await makeTestFolder(), "run");
    const open = async (): Promise<Checkpointer> =>
      createCheckpointer({
        run: await openRun({ path, isResuming: true }),
        model: createModel(),
        save: everySteps(1),
        stop: earlyStopping({ monitor: "val_loss", patience: 1 }),
      });
    const first = await open();
    await first.step({ val_loss: 1 });
    expect(first.stopping).toBeUndefined();
    await first.step({ val_loss: 2 });
    const { stopping } = first;
    expect(stopping).toMatchObject({ reason: "completed" });
    await first.step({ val_loss: 0.5 });
    expect(first.stopping).toEqual(stopping);
    // It does not come to `finish`.
    await first.close();
    const second = await open();
    expect(second.position.step).toBe(3);
    expect(second.stopping).toEqual(stopping);
    await second.finish();
    expect(await readResult(path)).toMatchObject({ step: 3, reason: "completed", cause: stopping?.cause });
  });
});

describe("a learning rate schedule", () => {
  it.each(["sgd", "adam"] as const)("sets the rate of each update of %s, and resumes exactly", async (optimizer) => {
    const folder = await makeTestFolder();
    const schedule = exponentialDecay({ initialRate: 0.1, decayRate: 0.5, decaySteps: 4 });
    const rates: number[] = [];
    const model = createModel(optimizer);
    const applied = model.optimizer as tf.Optimizer & { learningRate: number };
    // Of what the optimizer works with: for SGD a tensor of the negative rate, beside the plain number.
    const apply = applied.applyGradients.bind(applied);
    applied.applyGradients = (variables) => {
      const { c } = applied as unknown as { readonly c?: tf.Scalar };
      rates.push(Math.abs(c?.dataSync()[0] ?? applied.learningRate));
      apply(variables);
    };
    await train({ ...options(join(folder, "watched"), optimizer), epochs: 2, model, learningRate: schedule });
    expect(rates.length).toBe(8);
    for (const [step, rate] of rates.entries()) expect(rate).toBeCloseTo(0.1 * 0.5 ** (step / 4), 7);
    disposeModels(model);

    const base = { ...options("", optimizer), epochs: 3, learningRate: schedule };
    await train({ ...base, run: join(folder, "whole") });
    const whole = await readRunFiles(join(folder, "whole"));
    const { learningRate: _schedule, ...constantRate } = base;
    await train({ ...constantRate, run: join(folder, "constant") });
    const constant = await readRunFiles(join(folder, "constant"));
    expect(constant["checkpoints/step-00000012/weights.bin"]).not.toBe(whole["checkpoints/step-00000012/weights.bin"]);
    for (const step of [3, 6]) {
      const run = join(folder, String(step));
      await trainUntil(step, { ...base, run });
      await train({ ...base, run, isResuming: true });
      expect(await readRunFiles(run)).toEqual(whole);
    }
  });
});

describe("a checkpoint at the end", () => {
  it("is saved once, where training ends", async () => {
    const folder = await makeTestFolder();
    const base = { ...options(""), epochs: 1, save: atEnd() };
    await train({ ...base, run: join(folder, "end") });
    expect(await reasonsOf(join(folder, "end"))).toEqual([[4, "at the end of training"]]);
    const both = anyOf(everySteps(2), atEnd());
    const saved: number[] = [];
    const onProgress: TrainOptions["onProgress"] = ({ kind, step }) => {
      if (kind === "save") saved.push(step);
    };
    await train({ ...base, save: both, run: join(folder, "both"), onProgress });
    expect(saved).toEqual([2, 4]);
    expect((await reasonsOf(join(folder, "both"))).map(([step]) => step)).toEqual([2, 4]);
    await train({ ...base, epochs: 5, stop, run: join(folder, "early") });
    expect((await reasonsOf(join(folder, "early"))).map(([step]) => step)).toEqual([6]);
  });

  it("takes the place of one saved for a resume, as if training had never stopped there", async () => {
    const folder = await makeTestFolder();
    const base = { ...options(""), epochs: 1, save: atEnd() };
    await train({ ...base, run: join(folder, "whole") });
    const run = join(folder, "stopped");
    await trainUntil(4, { ...base, run });
    expect(await reasonsOf(run)).toEqual([[4, "stopped before the end"]]);
    await train({ ...base, run, isResuming: true });
    expect(await readRunFiles(run)).toEqual(await readRunFiles(join(folder, "whole")));
  });
});

/** The data, but the n-th batch of training, or the validation from the n-th measurement on, cannot be read. */
function breakData(part: "train" | "validation", call: number): TrainOptions["data"] {
  let count = 0;
  const refuse = <Result>(read: () => Promise<Result>): Promise<Result> =>
    ++count === call ? Promise.reject(new Error("the disk is gone")) : read();
  const split = data[part];
  const broken: Split = {
    ...split,
    gather: (rows) => refuse(() => split.gather(rows)),
    read: (start, end) => refuse(() => split.read(start, end)),
  };
  return { ...data, [part]: broken };
}

describe("a checkpoint after an error", () => {
  it("holds the last completed update, and training goes on from it exactly", async () => {
    const folder = await makeTestFolder();
    const base = { ...options(""), epochs: 3, save: anyOf(everySteps(4), onException()) };
    await train({ ...base, run: join(folder, "whole") });
    const whole = await readRunFiles(join(folder, "whole"));
    // At the first of all batches, in an epoch, right after a saved step.
    for (const [batch, steps] of [
      [1, []],
      [7, [4, 6]],
      [9, [4, 8]],
    ] as const) {
      const run = join(folder, String(batch));
      await expect(train({ ...base, run, data: breakData("train", batch) })).rejects.toThrow("the disk is gone");
      const reasons = await reasonsOf(run);
      expect(reasons.map(([step]) => step)).toEqual(steps);
      expect(reasons.filter(([, reason]) => reason === "an error ended the loop")).toHaveLength(batch === 7 ? 1 : 0);
      expect((await verifyRun(run)).problems).toEqual([]);
      await train({ ...base, run, isResuming: true });
      expect(await readRunFiles(run)).toEqual(whole);
    }
  });

  it("is not saved between an update and its step", async () => {
    const run = join(await makeTestFolder(), "run");
    const base = { ...options(run), epochs: 3, save: anyOf(everySteps(3), onException()) };
    await expect(train({ ...base, data: breakData("validation", 1) })).rejects.toThrow("the disk is gone");
    expect(await reasonsOf(run)).toEqual([]);
  });
});
