import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { CkptError, type FileSystem, nodeFileSystem, verifyRun } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  averageCheckpoints,
  type Checkpoint,
  createCheckpointer,
  everySteps,
  keepLatest,
  listCheckpoints,
  loadCheckpointModel,
  openRun,
  train,
  type TrainOptions,
} from "../src/index.js";
import { createModel, createSplit, data, disposeModels, readRunFiles, readWeights } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const options: Omit<TrainOptions, "run"> = {
  name: "blobs",
  model: () => createModel("adam"),
  data,
  epochs: 2,
  batchSize: 16,
  save: everySteps(2),
  seed: 7,
};

/** A run with checkpoints at steps 2, 4, 6 and 8. */
async function trainRun(): Promise<{ readonly run: string; readonly checkpoints: readonly Checkpoint[] }> {
  const run = join(await makeTestFolder(), "run");
  const { checkpoints } = await train({ ...options, run });
  return { run, checkpoints };
}

async function readModelWeights(path: string): Promise<readonly number[]> {
  const model = await loadCheckpointModel(path);
  const weights = readWeights(model);
  model.dispose();
  return weights;
}

describe("averageCheckpoints", () => {
  it("makes a checkpoint of the mean weights, with its parents and without a training state", async () => {
    const { run, checkpoints } = await trainRun();
    const parents = checkpoints.slice(1);
    const { numTensors } = tf.memory();
    const average = await averageCheckpoints({ run, checkpoints: parents });
    expect(tf.memory().numTensors).toBe(numTensors);

    expect(average).toMatchObject({ step: 8, epoch: 2, metrics: {}, isReused: false });
    expect(average.manifest).toMatchObject({
      reason: "average of 3 checkpoints",
      parents: parents.map(({ step, manifest }) => ({ step, digest: manifest.digest })),
      signature: parents[2]?.manifest.signature,
    });
    expect(average.manifest).not.toHaveProperty("batchNorm");
    expect((await readdir(average.path)).toSorted()).toEqual(["checkpoint.json", "model.json", "weights.bin"]);
    const all = await Promise.all(parents.map(({ path }) => readModelWeights(path)));
    const expected = all[0]?.map((_, at) => Math.fround(all.reduce((sum, weights) => sum + (weights[at] ?? 0), 0) / 3));
    expect(await readModelWeights(average.path)).toEqual(expected);
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("is the same, and made once, in whatever order the parents come", async () => {
    const { run, checkpoints } = await trainRun();
    const average = await averageCheckpoints({ run, checkpoints });
    const files = await readRunFiles(run);
    const again = await averageCheckpoints({ run, checkpoints: checkpoints.toReversed() });
    expect(again).toEqual({ ...average, isReused: true });
    expect(await readRunFiles(run)).toEqual(files);

    await writeFile(join(average.path, "weights.bin"), "damaged");
    const repaired = await averageCheckpoints({ run, checkpoints: checkpoints.toReversed() });
    expect(repaired.isReused).toBe(false);
    expect(await readRunFiles(run)).toEqual(files);
  });

  it("is not what training goes on from, nor pruned, and goes with the run", async () => {
    const folder = await makeTestFolder();
    const [whole, run] = [join(folder, "whole"), join(folder, "run")];
    const pruned: Omit<TrainOptions, "run"> = { ...options, keep: [keepLatest(2)] };
    await train({ ...pruned, run: whole });
    const controller = new AbortController();
    const stopAtStep5 = ({ step }: { readonly step: number }): void => {
      if (step === 5) controller.abort();
    };
    const { checkpoints } = await train({ ...pruned, run, signal: controller.signal, onProgress: stopAtStep5 });
    const average = await averageCheckpoints({ run, checkpoints: checkpoints.slice(-2) });
    expect(checkpoints).toMatchObject((await listCheckpoints(run)).checkpoints);

    const { resumedFrom } = await train({ ...pruned, run, isResuming: true });
    expect(resumedFrom).toBe(checkpoints.at(-1)?.step);
    const name = basename(average.path);
    const files = Object.entries(await readRunFiles(run));
    const trained = Object.fromEntries(files.filter(([path]) => !path.includes(name)));
    expect(files).toHaveLength(Object.keys(trained).length + 3);
    expect(trained).toEqual(await readRunFiles(whole));

    await train({ ...pruned, run, isFresh: true });
    expect(await readRunFiles(run)).toEqual(trained);
  });

  it("takes layers that were numbered anew, under the newest parent's names", async () => {
    const folder = await makeTestFolder();
    const saved: Checkpoint[] = [];
    for (const name of ["a", "b"]) {
      const layers = [
        tf.layers.dense({ units: 2, inputShape: [3] }),
        tf.layers.dense({ units: 1, activation: "relu" }),
      ];
      const model = tf.sequential({ layers });
      model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
      const checkpointer = await createCheckpointer({
        run: await openRun({ path: join(folder, name) }),
        model,
        save: everySteps(1),
      });
      if (name === "b") await checkpointer.step();
      await checkpointer.step();
      await checkpointer.close();
      const checkpoint = checkpointer.latest();
      if (checkpoint !== undefined) saved.push(checkpoint);
      disposeModels(model);
    }
    const { path } = await averageCheckpoints({ run: join(folder, "a"), checkpoints: saved });
    const [newest, older, average] = await Promise.all(
      [saved[1]?.path ?? "", saved[0]?.path ?? "", path].map((at) => readFile(join(at, "model.json"), "utf8")),
    );
    // All but the optimizer's weights.
    expect(average).toBe(newest?.replace(',{"name":"iter","dtype":"int32","shape":[],"group":"optimizer"}', ""));
    expect(average).not.toContain(older?.match(/"dense_Dense\d+"/)?.[0]);
  });

  it("refuses one checkpoint, the same one twice, and checkpoints of different models", async () => {
    const { run, checkpoints } = await trainRun();
    const [first] = checkpoints;
    if (first === undefined) throw new TypeError("no checkpoint");
    const details = { option: "checkpoints", found: "step 2" };
    await expect(averageCheckpoints({ run, checkpoints: [first] })).rejects.toMatchObject({ details });
    await expect(averageCheckpoints({ run, checkpoints: [first, first] })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const other = await createCheckpointer({
      run: await openRun({ path: join(await makeTestFolder(), "other") }),
      model,
      save: everySteps(1),
    });
    await other.step();
    await other.close();
    const saved = other.latest();
    if (saved === undefined) throw new TypeError("nothing saved");
    await expect(averageCheckpoints({ run, checkpoints: [first, saved] })).rejects.toMatchObject({
      code: "WEIGHTS_MISMATCH",
      details: { path: first.path, found: "other layers" },
    });
    expect(await readdir(join(run, "checkpoints"))).toHaveLength(4);
    disposeModels(model);
  });

  it("refuses a damaged parent, in whatever file, by name, and leaves nothing", async () => {
    const { run, checkpoints } = await trainRun();
    const path = join(checkpoints[2]?.path ?? "", "training-state.bin");
    const bytes = await readFile(path);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(averageCheckpoints({ run, checkpoints })).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      details: { path },
    });
    expect(await readdir(join(run, "checkpoints"))).toHaveLength(4);
  });

  it("leaves nothing visible where it ends in the middle, at any file", async () => {
    const { run, checkpoints } = await trainRun();
    for (const file of ["model.json", "weights.bin", "checkpoint.json"]) {
      // As after a kill: the error comes, and nothing is cleared away.
      const fileSystem: FileSystem = {
        ...nodeFileSystem,
        writeFile: (path, bytes) =>
          path.endsWith(file)
            ? Promise.reject(new CkptError("FILE_SYSTEM", { path, operation: "write", reason: "ended" }))
            : nodeFileSystem.writeFile(path, bytes),
        remove: async (path) => {
          if (!path.includes(".staging-")) await nodeFileSystem.remove(path);
        },
      };
      await expect(averageCheckpoints({ run, checkpoints, fileSystem })).rejects.toMatchObject({
        code: "FILE_SYSTEM",
        details: { reason: "ended" },
      });
      const names = await readdir(join(run, "checkpoints"));
      expect(names.filter((name) => !name.startsWith("."))).toHaveLength(4);
      const hidden = names.filter((name) => name.startsWith("."));
      expect(hidden.filter((name) => name.startsWith(".average-"))).toHaveLength(1);
      for (const name of hidden) await nodeFileSystem.remove(join(run, "checkpoints", name));
    }
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("recomputes batch-norm statistics of the averaged weights, and leaves the other weights averaged", async () => {
    const { run, checkpoints } = await trainRun();
    const plain = await averageCheckpoints({ run, checkpoints });
    const recompute = { model: () => createModel("adam"), split: data.train, batchSize: 16, seed: 7 };
    const { numTensors } = tf.memory();
    const average = await averageCheckpoints({ run, checkpoints, recompute });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(average.path).not.toBe(plain.path);
    expect(average.manifest).toMatchObject({
      reason: "average of 4 checkpoints, batch-norm statistics recomputed",
      batchNorm: { split: data.train.digest, batchSize: 16, seed: 7 },
    });
    expect((await averageCheckpoints({ run, checkpoints, recompute })).isReused).toBe(true);
    const other = { ...recompute, split: createSplit("other", "train", 32) };
    expect((await averageCheckpoints({ run, checkpoints, recompute: other })).path).not.toBe(average.path);

    const [before, after] = await Promise.all([plain, average].map(({ path }) => loadCheckpointModel(path)));
    const names = before?.weights.map(({ originalName }) => originalName) ?? [];
    const changed = names.filter((_, at) => {
      const [one, two] = [before, after].map((model) => model?.getWeights()[at]?.dataSync().join());
      return one !== two;
    });
    expect(changed).toEqual(["norm/moving_mean", "norm/moving_variance"]);
    disposeModels(...[before, after].filter((model) => model !== undefined));
  });
});
