import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { nodeFileSystem } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { createCheckpointer, createFolderHandler, everySteps, openRun } from "../src/index.js";
import { createModel, data, disposeModels, readWeights, toTensors } from "./fixture.js";
import { serveFolder } from "./serve-folder.js";
import { makeTestFolder } from "./test-folder.js";

async function trainModel(steps: number): Promise<tf.LayersModel> {
  const model = createModel("adam");
  const { x, y } = await toTensors(data.train);
  for (let i = 0; i < steps; i++) await model.trainOnBatch(x, y);
  tf.dispose([x, y]);
  return model;
}

async function readOptimizer(model: tf.LayersModel): Promise<readonly (readonly number[])[]> {
  return (await model.optimizer.getWeights()).map(({ tensor }) => Array.from(tensor.dataSync()));
}

async function editModelJson(folder: string, edit: (json: Record<string, unknown>) => unknown): Promise<void> {
  const path = join(folder, "model.json");
  const json = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify(edit(json)));
}

/** A saved model whose weights are in three files. */
async function saveSharded(): Promise<{ readonly folder: string; readonly model: tf.LayersModel }> {
  const folder = join(await makeTestFolder(), "model");
  const model = await trainModel(3);
  // 75 weights and statistics in all.
  await model.save(createFolderHandler(folder, { maxShardSizeBytes: 110 }));
  return { folder, model };
}

const shardNames = ["weights-00001-of-00003.bin", "weights-00002-of-00003.bin", "weights-00003-of-00003.bin"];

describe("createFolderHandler", () => {
  it("saves and loads a compiled model with its optimizer's slots", async () => {
    const folder = join(await makeTestFolder(), "models", "digits");
    const model = await trainModel(4);
    model.setUserDefinedMetadata({ note: "four steps" });
    const { modelArtifactsInfo } = await model.save(createFolderHandler(folder), { includeOptimizer: true });
    expect(modelArtifactsInfo.modelTopologyType).toBe("JSON");
    expect(await readdir(folder)).toEqual(["model.json", "weights.bin"]);
    expect(await readdir(dirname(folder))).toEqual(["digits"]);
    const loaded = await tf.loadLayersModel(createFolderHandler(folder));
    expect(readWeights(loaded)).toEqual(readWeights(model));
    expect(loaded.loss).toBe("sparseCategoricalCrossentropy");
    expect(await readOptimizer(loaded)).toEqual(await readOptimizer(model));
    expect(loaded.getUserDefinedMetadata()).toEqual({ note: "four steps" });
    disposeModels(model, loaded);
  });

  it("joins weights that come in several buffers", async () => {
    const { folder, model } = await saveSharded();
    const artifacts = await createFolderHandler(folder).load();
    const bytes = artifacts.weightData as ArrayBuffer;
    const weightData = [bytes.slice(0, 7), bytes.slice(7, 50), bytes.slice(50)];
    const other = join(dirname(folder), "other");
    await createFolderHandler(other).save({ ...artifacts, weightData });
    const loaded = await tf.loadLayersModel(createFolderHandler(other));
    expect(readWeights(loaded)).toEqual(readWeights(model));
    disposeModels(model, loaded);
  });

  it("cuts large weights into files that plain tf.loadLayersModel reads over http", async () => {
    const { folder, model } = await saveSharded();
    expect(await readdir(folder)).toEqual(["model.json", ...shardNames]);
    const sizes = await Promise.all(shardNames.map(async (name) => (await readFile(join(folder, name))).byteLength));
    expect(sizes[1]).toBe(sizes[0]);
    expect(sizes[2]).toBeLessThan(sizes[0] ?? 0);
    const expected = readWeights(model);
    for (const source of [`${await serveFolder(folder)}/model.json`, createFolderHandler(folder)]) {
      const loaded = await tf.loadLayersModel(source);
      expect(readWeights(loaded)).toEqual(expected);
      loaded.dispose();
    }
    disposeModels(model);
  });

  it("replaces an older model and leaves none of its files", async () => {
    const { folder, model } = await saveSharded();
    const other = await trainModel(6);
    await other.save(createFolderHandler(folder));
    expect(await readdir(folder)).toEqual(["model.json", "weights.bin"]);
    const loaded = await tf.loadLayersModel(createFolderHandler(folder));
    expect(readWeights(loaded)).toEqual(readWeights(other));
    disposeModels(model, other, loaded);
  });

  it("leaves the older model when a save fails, wherever it does", async () => {
    const { folder, model } = await saveSharded();
    const other = await trainModel(6);
    const before = readWeights(model);
    const fullDisk = new Error("no space left");
    for (const failing of ["model.json", "weights.bin"]) {
      const fileSystem: typeof nodeFileSystem = {
        ...nodeFileSystem,
        writeFile: async (path, bytes) => {
          await nodeFileSystem.writeFile(path, bytes.subarray(0, 5));
          if (path.endsWith(failing)) throw fullDisk;
        },
      };
      await expect(other.save(createFolderHandler(folder, { fileSystem }))).rejects.toBe(fullDisk);
    }
    const fileSystem: typeof nodeFileSystem = {
      ...nodeFileSystem,
      rename: (from, to) => (from.includes(".staging-") ? Promise.reject(fullDisk) : nodeFileSystem.rename(from, to)),
    };
    await expect(other.save(createFolderHandler(folder, { fileSystem }))).rejects.toBe(fullDisk);
    expect(await readdir(dirname(folder))).toEqual(["model"]);
    const loaded = await tf.loadLayersModel(createFolderHandler(folder));
    expect(readWeights(loaded)).toEqual(before);
    disposeModels(model, other, loaded);
  });

  it("finds the older model when a process died in the middle of replacing it", async () => {
    const { folder, model } = await saveSharded();
    const other = await trainModel(6);
    const [before, after] = [readWeights(model), readWeights(other)];
    const died = new Error("killed");
    const fileSystem: typeof nodeFileSystem = {
      ...nodeFileSystem,
      rename: (from, to) => (to === folder ? Promise.reject(died) : nodeFileSystem.rename(from, to)),
      remove: (path) => (existsSync(folder) ? nodeFileSystem.remove(path) : Promise.reject(died)),
    };
    await expect(other.save(createFolderHandler(folder, { fileSystem }))).rejects.toBe(died);
    expect(existsSync(folder)).toBe(false);
    const found = await tf.loadLayersModel(createFolderHandler(folder));
    expect(readWeights(found)).toEqual(before);

    await other.save(createFolderHandler(folder));
    expect(await readdir(dirname(folder))).toEqual(["model"]);
    const loaded = await tf.loadLayersModel(createFolderHandler(folder));
    expect(readWeights(loaded)).toEqual(after);
    disposeModels(model, other, found, loaded);
  });

  it("does not replace a folder that holds anything else", async () => {
    const model = await trainModel(1);
    const folder = await makeTestFolder();
    await writeFile(join(folder, "thesis.txt"), "years of work");
    await expect(model.save(createFolderHandler(folder))).rejects.toMatchObject({ code: "TARGET_EXISTS" });
    expect(await readdir(folder)).toEqual(["thesis.txt"]);
    disposeModels(model);
  });

  it.each(["../secret.bin", "/etc/passwd", "a/../../secret.bin", "..\\secret.bin", "link.bin"])(
    "refuses to read weights from %s",
    async (hostile) => {
      const { folder, model } = await saveSharded();
      await writeFile(join(dirname(folder), "secret.bin"), new Uint8Array(400));
      await symlink(join(dirname(folder), "secret.bin"), join(folder, "link.bin"));
      await editModelJson(folder, (json) => {
        const [group] = json["weightsManifest"] as readonly object[];
        return { ...json, weightsManifest: [{ ...group, paths: [hostile] }] };
      });
      await expect(tf.loadLayersModel(createFolderHandler(folder))).rejects.toMatchObject({
        code: "UNSAFE_PATH",
        details: { path: folder, named: hostile },
      });
      disposeModels(model);
    },
  );

  it("refuses weights that do not fit model.json, naming both sizes", async () => {
    const { folder, model } = await saveSharded();
    await truncate(join(folder, shardNames[2] ?? ""), 3);
    await expect(tf.loadLayersModel(createFolderHandler(folder))).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      details: { reason: `its weights need ${4 * model.countParams()} bytes, the files have 223` },
    });
    await rm(join(folder, shardNames[1] ?? ""));
    await expect(tf.loadLayersModel(createFolderHandler(folder))).rejects.toMatchObject({ code: "FILE_MISSING" });
    disposeModels(model);
  });

  it.each([
    ["no JSON", () => "weights", "not a TensorFlow.js model"],
    ["no topology", (json: Record<string, unknown>) => ({ ...json, modelTopology: undefined }), "no modelTopology"],
    ["no weights", (json: Record<string, unknown>) => ({ ...json, weightsManifest: undefined }), "weightsManifest"],
    [
      "a negative size",
      (json: Record<string, unknown>) => ({
        ...json,
        weightsManifest: [{ paths: [], weights: [{ name: "a", dtype: "float32", shape: [-1] }] }],
      }),
      "weightsManifest",
    ],
  ])("refuses a model.json with %s", async (_name, edit, reason) => {
    const { folder, model } = await saveSharded();
    await editModelJson(folder, edit);
    await expect(tf.loadLayersModel(createFolderHandler(folder))).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      details: { path: join(folder, "model.json"), reason: expect.stringContaining(reason) },
    });
    disposeModels(model);
  });

  it("refuses to save weights that are not what their specs say, and options out of range", async () => {
    const folder = join(await makeTestFolder(), "model");
    const weightSpecs = [{ name: "a", dtype: "float32" as const, shape: [2] }];
    const saving = createFolderHandler(folder).save({ modelTopology: {}, weightSpecs, weightData: new ArrayBuffer(4) });
    await expect(saving).rejects.toMatchObject({
      code: "SIZE_MISMATCH",
      details: { expectedBytes: 8, foundBytes: 4 },
    });
    const binary = createFolderHandler(folder).save({ modelTopology: new ArrayBuffer(1) });
    await expect(binary).rejects.toMatchObject({ code: "INVALID_OPTION" });
    expect(() => createFolderHandler(folder, { maxShardSizeBytes: 0 })).toThrow("maxShardSizeBytes");
    expect(await readdir(dirname(folder))).toEqual([]);
  });

  it("loads a checkpoint, compiled and with its slots, after checking it; and does not replace it", async () => {
    const model = await trainModel(3);
    const checkpointer = await createCheckpointer({
      run: await openRun({ path: join(await makeTestFolder(), "run") }),
      model,
      save: everySteps(1),
    });
    await checkpointer.step();
    await checkpointer.finish("completed");
    const saved = checkpointer.latest();
    const handler = createFolderHandler(saved?.path ?? "");
    const loaded = await tf.loadLayersModel(handler);
    expect(readWeights(loaded)).toEqual(readWeights(model));
    expect(await readOptimizer(loaded)).toEqual(await readOptimizer(model));
    await expect(model.save(handler)).rejects.toMatchObject({ code: "TARGET_EXISTS" });
    const weights = join(saved?.path ?? "", "weights.bin");
    const bytes = await readFile(weights);
    await writeFile(weights, bytes.fill(1, 8, 9));
    await expect(tf.loadLayersModel(handler)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    disposeModels(model, loaded);
  });

  it("says which file is missing where there is no model", async () => {
    const folder = await makeTestFolder();
    await mkdir(join(folder, "empty"));
    for (const name of ["empty", "none"]) {
      await expect(tf.loadLayersModel(createFolderHandler(join(folder, name)))).rejects.toMatchObject({
        code: "FILE_MISSING",
        details: { path: join(folder, name, "model.json") },
      });
    }
  });
});
