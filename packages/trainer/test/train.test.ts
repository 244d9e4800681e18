import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CkptError, isCkptError, probeFileName, runLayout, verifyRun } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  loadCheckpointModel,
  onImprovement,
  train,
  type TrainOptions,
  type TrainOutcome,
  everySteps,
} from "../src/index.js";
import { createModel, data, disposeModels, type OptimizerName, readRunFiles, readWeights } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const totalSteps = 12;

function options(run: string, optimizer: OptimizerName = "adam"): TrainOptions {
  return {
    run,
    name: "blobs",
    model: () => createModel(optimizer),
    data,
    epochs: 3,
    batchSize: 16,
    measureEverySteps: 3,
    save: everySteps(4),
    maxToKeep: 2,
    seed: 7,
  };
}

/** Trains and stops after `step`. */
async function trainUntil(step: number, base: TrainOptions): Promise<TrainOutcome> {
  const controller = new AbortController();
  return train({
    ...base,
    signal: controller.signal,
    onProgress: (progress) => {
      if (progress.kind === "step" && progress.step === step) controller.abort();
    },
  });
}

function createDivergingModel(): tf.LayersModel {
  const model = createModel("sgd");
  (model.optimizer as tf.SGDOptimizer).setLearningRate(Number.NaN);
  return model;
}

describe("train", () => {
  it("measures, saves by the policy, prunes, and says what came of it", async () => {
    const run = join(await makeTestFolder(), "run");
    const outcome = await train(options(run));
    expect(outcome).toMatchObject({ step: 12, epoch: 3, reason: "completed", isAlreadyComplete: false, skipped: [] });
    expect(outcome.checkpoints.map(({ step }) => step)).toEqual([8, 12]);
    const history = (await readFile(join(run, runLayout.history), "utf8")).trim().split("\n");
    const records = history.map((line) => JSON.parse(line) as { step: number; metrics: Record<string, number> });
    expect(records.map(({ step }) => step)).toEqual([3, 6, 9, 12]);
    expect(Object.keys(records[0]?.metrics ?? {})).toEqual(["loss", "acc", "val_loss", "val_acc"]);
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("puts the first rows of the validation split into every checkpoint, as one file", async () => {
    const { checkpoints } = await train(options(join(await makeTestFolder(), "run")));
    const { inputs } = await data.validation.read(0, 8);
    const values = (inputs["x"] as { data: Float32Array<ArrayBuffer> }).data;
    const inodes = checkpoints.map(async ({ path, manifest }) => {
      expect(manifest.probe).toEqual([{ name: "hidden_input", dtype: "float32", shape: [8, 4] }]);
      const file = join(path, probeFileName);
      expect(await readFile(file)).toEqual(Buffer.from(values.buffer));
      return (await stat(file)).ino;
    });
    expect(new Set(await Promise.all(inodes)).size).toBe(1);
  });

  it("gives the same bytes for the same seed, and others for another", async () => {
    const folder = await makeTestFolder();
    await train(options(join(folder, "a")));
    await train(options(join(folder, "b")));
    await train({ ...options(join(folder, "c")), seed: 8 });
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => readRunFiles(join(folder, name))));
    expect(b).toEqual(a);
    expect(Object.keys(c ?? {})).toEqual(Object.keys(a ?? {}));
    expect(c?.["checkpoints/step-00000012/weights.bin"]).not.toBe(a?.["checkpoints/step-00000012/weights.bin"]);
  });

  it("resumes bit for bit, however often it was stopped", async () => {
    const folder = await makeTestFolder();
    await train(options(join(folder, "whole")));
    const stops = [2, 3, 9];
    const run = join(folder, "stopped");
    for (const [index, stop] of stops.entries()) {
      const outcome = await trainUntil(stop, { ...options(run), isResuming: index > 0 });
      expect(outcome).toMatchObject({ reason: "stopped", step: stop, cause: "a signal" });
      expect((await verifyRun(run)).problems).toEqual([]);
    }
    const outcome = await train({ ...options(run), isResuming: true });
    expect(outcome).toMatchObject({ reason: "completed", resumedFrom: stops.at(-1), step: totalSteps });
    expect(await readRunFiles(run)).toEqual(await readRunFiles(join(folder, "whole")));
  });

  it("skips a damaged latest checkpoint, says so, and ends as if it had never been damaged", async () => {
    const folder = await makeTestFolder();
    const run = join(folder, "run");
    const all = { ...options(run), maxToKeep: 150 };
    await train({ ...all, run: join(folder, "whole") });
    await trainUntil(10, all);
    for (const [step, file] of [
      [10, "weights.bin"],
      [8, "training-state.bin"],
    ] as const) {
      const path = join(run, "checkpoints", `step-${String(step).padStart(8, "0")}`, file);
      const bytes = await readFile(path);
      bytes[5] = (bytes[5] ?? 0) ^ 1;
      await writeFile(path, bytes);
    }
    const outcome = await train({ ...all, isResuming: true });
    expect(outcome.resumedFrom).toBe(4);
    expect(outcome.skipped.map(({ path, reason }) => [path.slice(-13), reason.code])).toEqual([
      ["step-00000010", "DIGEST_MISMATCH"],
      ["step-00000008", "DIGEST_MISMATCH"],
    ]);
    expect(await readRunFiles(run)).toEqual(await readRunFiles(join(folder, "whole")));
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("does nothing for a run that is complete", async () => {
    const run = join(await makeTestFolder(), "run");
    await train(options(run));
    const before = await readRunFiles(run);
    const outcome = await train(options(run));
    expect(outcome).toMatchObject({ isAlreadyComplete: true, step: 12, epoch: 3, reason: "completed" });
    expect(outcome.checkpoints).toHaveLength(2);
    expect(await readRunFiles(run)).toEqual(before);
  });

  it("stops with METRIC_NOT_FINITE when training diverges, and gives up the lock", async () => {
    const run = join(await makeTestFolder(), "run");
    await expect(train({ ...options(run), model: createDivergingModel })).rejects.toMatchObject({
      code: "METRIC_NOT_FINITE",
      details: { metric: "loss", where: `${run}, step 2` },
    });
    // Not locked any more: the run can be discarded.
    await expect(train({ ...options(run), isFresh: true })).resolves.toMatchObject({ reason: "completed" });
  });

  it("refuses to go on with a run whose model was another one", async () => {
    const run = join(await makeTestFolder(), "run");
    await train(options(run));
    await expect(train({ ...options(run), model: createDivergingModel })).rejects.toMatchObject({
      code: "RUN_EXISTS",
      details: { reason: "holds a run of another configuration" },
    });
  });

  it("puts Math.random back, and leaves no tensors behind", async () => {
    const folder = await makeTestFolder();
    const { random } = Math;
    const before = tf.memory().numTensors;
    await train({ ...options(join(folder, "run")), onProgress: () => expect(Math.random).toBe(random) });
    expect(Math.random).toBe(random);
    expect(tf.memory().numTensors).toBe(before);
    await trainUntil(5, options(join(folder, "stopped")));
    await train({ ...options(join(folder, "stopped")), isResuming: true });
    expect(tf.memory().numTensors).toBe(before);
    expect(Math.random).toBe(random);
  });

  it("trains a model it was given, in place", async () => {
    const run = join(await makeTestFolder(), "run");
    const model = createModel();
    const before = readWeights(model);
    const outcome = await train({ ...options(run), model });
    const trained = readWeights(model);
    expect(trained).not.toEqual(before);
    const saved = await loadCheckpointModel(outcome.checkpoints.at(-1)?.path ?? "");
    expect(readWeights(saved)).toEqual(trained);
    disposeModels(saved, model);
  });

  it("saves when the validation loss improved, and ranks by it", async () => {
    const run = join(await makeTestFolder(), "run");
    const seen: number[] = [];
    const outcome = await train({
      ...options(run),
      save: onImprovement({ monitor: "val_loss" }),
      maxToKeep: 150,
      onProgress: (progress) => {
        if (progress.kind === "measure") seen.push(progress.metrics["val_loss"] ?? Number.NaN);
      },
    });
    const expected = seen.flatMap((value, index) =>
      seen.slice(0, index).every((old) => value < old) ? [3 * (index + 1)] : [],
    );
    expect(outcome.checkpoints.map(({ step }) => step)).toEqual(expected);
  });

  it("refuses a monitor that does not exist at the first measurement", async () => {
    const run = join(await makeTestFolder(), "run");
    const error: unknown = await train({ ...options(run), save: onImprovement({ monitor: "val_accuracy" }) }).catch(
      (cause: unknown) => cause,
    );
    expect(isCkptError(error, "METRIC_NOT_FOUND") && error.details).toEqual({
      metric: "val_accuracy",
      available: ["acc", "loss", "val_acc", "val_loss"],
    });
    expect(await readFile(join(run, runLayout.history), "utf8")).toContain('"step":3');
  });

  it.each([
    ["epochs", { epochs: 0 }],
    ["batchSize", { batchSize: 1.5 }],
    ["measureEverySteps", { measureEverySteps: -1 }],
    ["seed", { seed: 0.5 }],
    ["maxToKeep", { maxToKeep: 0 }],
  ])("refuses %s out of range", async (option, change) => {
    const run = join(await makeTestFolder(), "run");
    const error: unknown = await train({ ...options(run), ...change }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CkptError);
    expect(error).toMatchObject({ code: "INVALID_OPTION", details: { option } });
  });
});
