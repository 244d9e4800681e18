import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { CkptError, nodeFileSystem, verifyRun } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  type Checkpoint,
  type Checkpointer,
  createCheckpointer,
  createSeededRandom,
  everySteps,
  keepBest,
  keepLatest,
  listCheckpoints,
  loadCheckpointModel,
  onImprovement,
  openRun,
  readCheckpoint,
  type TrainingState,
} from "../src/index.js";
import { createModel, data, disposeModels, optimizers, readRunFiles, readWeights, toTensors } from "./fixture.js";
import { serveFolder } from "./serve-folder.js";
import { makeTestFolder } from "./test-folder.js";

/** Takes a step and waits until what it saved, if anything, is on disk. */
async function stepAndSave(
  checkpointer: Checkpointer,
  ...parameters: Parameters<Checkpointer["step"]>
): Promise<Checkpoint | undefined> {
  const { step, isSaving } = await checkpointer.step(...parameters);
  await checkpointer.drain();
  const latest = checkpointer.latest();
  expect(latest?.step === step).toBe(isSaving);
  return isSaving ? latest : undefined;
}

/** A loop as a user writes it: own loss, own optimizer, one call of `step` for each update. */
async function runOwnLoop(
  checkpointer: Checkpointer,
  model: tf.LayersModel,
  optimizer: tf.Optimizer,
  lastStep: number,
): Promise<void> {
  const { x, y } = await toTensors(data.train);
  const oneHot = tf.oneHot(y.squeeze([1]).toInt() as tf.Tensor1D, 3);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  while (checkpointer.position.step < lastStep) {
    const loss = optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(oneHot, model.apply(x, { training: true }) as tf.Tensor2D),
      true,
      variables,
    );
    const value = (await loss?.data())?.[0] ?? Number.NaN;
    loss?.dispose();
    await checkpointer.step({ loss: value });
  }
  tf.dispose([x, y, oneHot]);
}

describe("createCheckpointer", () => {
  it("resumes an own loop with its own optimizer bit for bit", async () => {
    const folder = await makeTestFolder();
    const trainTo = async (name: string, steps: readonly number[]): Promise<readonly number[]> => {
      let weights: readonly number[] = [];
      for (const [index, lastStep] of steps.entries()) {
        const run = await openRun({ path: join(folder, name), name: "own", seed: 5, isResuming: index > 0 });
        const random = createSeededRandom(5);
        random.install();
        const model = createModel("sgd");
        const optimizer = optimizers.adam();
        const checkpointer = await createCheckpointer({ run, model, optimizer, save: everySteps(3), random });
        await runOwnLoop(checkpointer, model, optimizer, lastStep);
        random.uninstall();
        await checkpointer.finish(index === steps.length - 1 ? "completed" : "stopped");
        weights = readWeights(model);
        disposeModels(model);
        optimizer.dispose();
      }
      return weights;
    };
    const whole = await trainTo("whole", [13]);
    expect(await trainTo("parts", [2, 3, 7, 13])).toEqual(whole);
    expect(await readRunFiles(join(folder, "parts"))).toEqual(await readRunFiles(join(folder, "whole")));
  });

  it("leaves no tensors behind, however often it saves", async () => {
    const path = join(await makeTestFolder(), "run");
    const model = createModel("adam");
    const { x, y } = await toTensors(data.train);
    await model.trainOnBatch(x, y);
    const checkpointer = await createCheckpointer({
      run: await openRun({ path }),
      model,
      save: everySteps(1),
      keep: [keepLatest(2)],
    });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) await checkpointer.step({ loss: i });
    await checkpointer.drain();
    expect(tf.memory().numTensors).toBe(before);
    expect(checkpointer.checkpoints.map(({ step }) => step)).toEqual([19, 20]);
    expect(await readdir(join(path, "checkpoints"))).toEqual(["step-00000019", "step-00000020"]);
    await checkpointer.close();
    tf.dispose([x, y]);
    disposeModels(model);
  });

  it("writes a model that plain tf.loadLayersModel reads, optimizer included", async () => {
    const path = join(await makeTestFolder(), "run");
    const model = createModel("adam");
    const { x, y } = await toTensors(data.train);
    for (let i = 0; i < 3; i++) await model.trainOnBatch(x, y);
    const checkpointer = await createCheckpointer({ run: await openRun({ path }), model, save: everySteps(1) });
    const saved = await stepAndSave(checkpointer, { loss: 1 });
    await checkpointer.finish("completed");

    const loaded = await tf.loadLayersModel(`${await serveFolder(saved?.path ?? "")}/model.json`);
    expect(readWeights(loaded)).toEqual(readWeights(model));
    expect(loaded.loss).toBe("sparseCategoricalCrossentropy");
    const [slots, expected] = [await loaded.optimizer.getWeights(), await model.optimizer.getWeights()];
    expect(slots.map(({ name }) => name)).toEqual([
      "iter",
      ...["m", "v"].flatMap((slot) =>
        ["hidden/kernel", "hidden/bias", "norm/gamma", "norm/beta", "out/kernel", "out/bias"].map(
          (name) => `${name}/${slot}`,
        ),
      ),
    ]);
    expect(slots.map(({ tensor }) => Array.from(tensor.dataSync()))).toEqual(
      expected.map(({ tensor }) => Array.from(tensor.dataSync())),
    );
  });

  it("writes a loadable model for a loss of the user's own and for an optimizer tfjs cannot load", async () => {
    const folder = await makeTestFolder();
    const custom = createModel("adam");
    custom.compile({ optimizer: "adam", loss: (a: tf.Tensor, b: tf.Tensor) => tf.losses.meanSquaredError(a, b) });
    for (const [name, model] of Object.entries({ custom, adamax: createModel("adamax") })) {
      const run = await openRun({ path: join(folder, name) });
      const checkpointer = await createCheckpointer({ run, model, save: everySteps(1) });
      const saved = await stepAndSave(checkpointer);
      await checkpointer.close();
      const text = await readFile(join(saved?.path ?? "", "model.json"), "utf8");
      expect(text).not.toContain('"group":"optimizer"');
      expect(text.includes("trainingConfig")).toBe(name === "adamax");
      expect(readWeights(await loadCheckpointModel(saved?.path ?? ""))).toEqual(readWeights(model));
    }
  });

  it("describes the checkpoint: step, epoch, metrics, reason, signature, every file", async () => {
    const path = join(await makeTestFolder(), "run");
    const checkpointer = await createCheckpointer({
      run: await openRun({ path }),
      model: createModel(),
      save: onImprovement({ monitor: "val_loss" }),
    });
    await checkpointer.step({}, { isEpochEnd: true });
    const saved = await stepAndSave(checkpointer, { val_loss: 0.5, odd: Number.NaN });
    await checkpointer.close();
    expect(saved?.step).toBe(2);
    expect(saved).toMatchObject(await readCheckpoint(saved?.path ?? ""));
    expect(saved?.manifest).toMatchObject({
      step: 2,
      epoch: 1,
      metrics: { val_loss: 0.5, odd: "NaN" },
      reason: "val_loss improved (min)",
      signature: {
        inputs: [{ name: "hidden_input", dtype: "float32", shape: [null, 4] }],
        outputs: [{ name: "out", dtype: "float32", shape: [null, 3] }],
      },
    });
    expect(saved?.manifest.files.map((file) => file.path)).toEqual([
      "model.json",
      "training-state.bin",
      "training-state.json",
      "weights.bin",
    ]);
    expect((await verifyRun(path)).problems).toEqual([]);
  });

  it("compares with the best it saved, also after a resume", async () => {
    const path = join(await makeTestFolder(), "run");
    const save = onImprovement({ monitor: "val_loss" });
    const first = await createCheckpointer({ run: await openRun({ path }), model: createModel(), save });
    for (const val_loss of [3, 2]) expect(await first.step({ val_loss })).toMatchObject({ isSaving: true });
    expect(await first.step({ val_loss: 2.5 })).toMatchObject({ isSaving: false });
    await first.close();
    const run = await openRun({ path, isResuming: true });
    const second = await createCheckpointer({ run, model: createModel(), save });
    expect(second.position.step).toBe(2);
    expect(await stepAndSave(second, { val_loss: 2.5 })).toBeUndefined();
    expect((await stepAndSave(second, { val_loss: 1 }))?.step).toBe(4);
    await second.close();
  });

  it("knows its latest and its best checkpoint", async () => {
    const path = join(await makeTestFolder(), "run");
    const checkpointer = await createCheckpointer({
      run: await openRun({ path }),
      model: createModel(),
      save: everySteps(1),
      keep: [keepBest(1, { monitor: "val_loss" })],
    });
    for (const val_loss of [3, 1, 2]) await checkpointer.step({ val_loss, score: val_loss });
    await checkpointer.drain();
    expect(checkpointer.latest()?.step).toBe(3);
    expect(checkpointer.best()?.step).toBe(2);
    expect(checkpointer.best({ monitor: "score", mode: "max" })?.step).toBe(3);
    expect(checkpointer.checkpoints.map(({ step }) => step)).toEqual([2, 3]);
    await checkpointer.finish("completed");
    expect(checkpointer.checkpoints).toMatchObject((await listCheckpoints(path)).checkpoints);
  });

  it("refuses to end a run whose monitored metric was never measured", async () => {
    const path = join(await makeTestFolder(), "run");
    const checkpointer = await createCheckpointer({
      run: await openRun({ path }),
      model: createModel(),
      save: onImprovement({ monitor: "accuracy" }),
    });
    await checkpointer.step({ loss: 1 });
    await expect(checkpointer.finish("completed")).rejects.toMatchObject({
      code: "METRIC_NOT_FOUND",
      details: { metric: "accuracy", available: ["loss"] },
    });
    await checkpointer.close();
  });

  it("loses nothing that was committed when a save fails, and can be asked again", async () => {
    const path = join(await makeTestFolder(), "run");
    let isFull = false;
    const fileSystem: typeof nodeFileSystem = {
      ...nodeFileSystem,
      writeFile: (file, bytes, onChunk) => {
        if (!isFull || !file.endsWith("weights.bin")) return nodeFileSystem.writeFile(file, bytes, onChunk);
        return Promise.reject(
          new CkptError("FILE_SYSTEM", { path: file, operation: "write", reason: "no space left" }),
        );
      },
    };
    const checkpointer = await createCheckpointer({
      run: await openRun({ path, fileSystem }),
      model: createModel(),
      save: onImprovement({ monitor: "val_loss" }),
    });
    await checkpointer.step({ val_loss: 3 });
    await checkpointer.drain();
    isFull = true;
    expect(await checkpointer.step({ val_loss: 2 })).toMatchObject({ isSaving: true });
    // It fails in the background; the next step that would save says so, and is counted.
    await expect(checkpointer.step({ val_loss: 1.9 })).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    expect(checkpointer.position.step).toBe(3);
    expect(await readdir(join(path, "checkpoints"))).toEqual(["step-00000001"]);
    isFull = false;
    // 2.5 is still better than the best that was saved.
    expect((await stepAndSave(checkpointer, { val_loss: 2.5 }))?.step).toBe(4);
    isFull = true;
    await checkpointer.step({ val_loss: 1 });
    await expect(checkpointer.finish("completed")).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    await checkpointer.close();
    expect(await readdir(join(path, "checkpoints"))).toEqual(["step-00000001", "step-00000004"]);
    expect((await verifyRun(path)).problems).toEqual([]);
  });

  it("checkpoints anything that can be copied and put back", async () => {
    const path = join(await makeTestFolder(), "run");
    const counter = { value: 0 };
    const state: TrainingState = {
      snapshot: async () => ({
        signature: { inputs: [], outputs: [{ name: "count", dtype: "float32", shape: [] }] },
        model: { format: "counter" },
        weights: [{ name: "count", dtype: "float32", shape: [], data: Float32Array.of(counter.value) }],
        isOptimizerLoadable: false,
      }),
      restore: async ({ weights }) => {
        counter.value = weights[0]?.data[0] ?? Number.NaN;
      },
    };
    const first = await createCheckpointer({ run: await openRun({ path }), model: state, save: everySteps(2) });
    for (counter.value = 1; counter.value <= 5; counter.value++) await first.step();
    await first.close();
    const run = await openRun({ path, isResuming: true });
    const second = await createCheckpointer({ run, model: state, save: everySteps(2) });
    expect(second.position).toEqual({ step: 4, epoch: 0, batch: 4 });
    expect(counter.value).toBe(4);
    await second.close();
  });

  it("refuses a model without weights", async () => {
    const run = await openRun({ path: join(await makeTestFolder(), "run") });
    const model = tf.sequential();
    await expect(createCheckpointer({ run, model, save: everySteps(1) })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "model" },
    });
    await run.close();
  });
});
