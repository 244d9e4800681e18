import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import {
  artifactPath,
  checkpointPath,
  formatStepName,
  isCkptError,
  lockRun,
  removeFolder,
  type Removal,
  removeUnleased,
  verifyFiles,
} from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";

import { freeze, type FreezeProgress, freezeRun, readSource } from "../src/index.js";
import { createTemporaryFolder, damageFile, describeFolder, writeCheckpoint, writeRun } from "./folders.js";
import { createConvModel, createDenseModel, setRandomWeights } from "./models.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** A run of three checkpoints of one model. */
async function createRun(): Promise<{ run: string; model: tf.LayersModel }> {
  const run = join(await createTemporaryFolder(), "run");
  const model = createConvModel(0);
  await writeRun(run, []);
  for (const step of [10, 20, 100]) {
    setRandomWeights(model, step);
    await writeCheckpoint(checkpointPath(run, step), model, step);
  }
  return { run, model };
}

describe("freezeRun", () => {
  it("captures once for all checkpoints and gives each artifact its own weights", async () => {
    const { run, model } = await createRun();
    const progress: FreezeProgress[] = [];
    const { numTensors } = tf.memory();
    const results = await freezeRun({ run, onProgress: (each) => progress.push(each) });

    expect(tf.memory().numTensors).toBe(numTensors);
    expect(progress.filter(({ kind }) => kind === "captured")).toHaveLength(1);
    expect(results.map(({ path }) => path)).toEqual(
      [10, 20, 100].map((step) => artifactPath(run, formatStepName(step))),
    );
    expect(results.map(({ manifest }) => manifest.source.step)).toEqual([10, 20, 100]);
    const values = tf.randomNormal([2, 8, 8, 1], 0, 1, "float32", 3);
    for (const { path, manifest } of results) {
      setRandomWeights(model, manifest.source.step ?? 0);
      const expected = await (model.predict(values) as tf.Tensor).data();
      const session = await InferenceSession.create(join(path, "model.onnx"));
      const input = new Tensor("float32", await values.data(), [2, 8, 8, 1]);
      const found = await session.run({ [manifest.signature.inputs[0]?.name ?? ""]: input });
      const data = found[manifest.signature.outputs[0]?.name ?? ""]?.data as Float32Array;
      expect(Math.max(...Array.from(expected, (value, at) => Math.abs(value - (data[at] ?? 1))))).toBeLessThan(1e-5);
    }
  });

  it("gives a later checkpoint the bytes that a freeze of it alone gives", async () => {
    const { run } = await createRun();
    const [, , last] = await freezeRun({ run });
    const whole = await describeFolder(last?.path ?? "");
    await rm(join(run, "artifacts"), { recursive: true });
    await rm(checkpointPath(run, 10), { recursive: true });
    await rm(checkpointPath(run, 20), { recursive: true });

    const [alone] = await freezeRun({ run });
    expect(await describeFolder(alone?.path ?? "")).toEqual(whole);
    const single = await freeze({ source: checkpointPath(run, 100), out: join(run, "elsewhere") });
    expect(await describeFolder(single.path)).toEqual(whole);
  });

  it("keeps one copy of a file that does not change between checkpoints", async () => {
    const { run } = await createRun();
    const results = await freezeRun({ run, formats: ["graph-model", "graph-def"] });
    const inodes = async (file: string): Promise<number> =>
      new Set(await Promise.all(results.map(async ({ path }) => (await stat(join(path, file))).ino))).size;
    expect(await inodes("graph-model/model.json")).toBe(1);
    expect(await inodes("graph-model/group1-shard1of1.bin")).toBe(3);
    expect(await inodes("frozen.pb")).toBe(3);
    for (const { path, manifest } of results) expect(await verifyFiles(path, manifest.files)).toEqual([]);
  });

  it("makes only what is missing", async () => {
    const { run } = await createRun();
    await freezeRun({ run, formats: ["graph-def"] });
    const before = await describeFolder(artifactPath(run, formatStepName(20)), true);
    await rm(artifactPath(run, formatStepName(100)), { recursive: true });

    const results = await freezeRun({ run, formats: ["graph-def"] });
    expect(results.map(({ isReused }) => isReused)).toEqual([true, true, false]);
    expect(await describeFolder(artifactPath(run, formatStepName(20)), true)).toEqual(before);
  });

  it("freezes averages too, after the trained checkpoint of their step and under their own names", async () => {
    const { run, model } = await createRun();
    const name = "average-00000020-0123abcd";
    setRandomWeights(model, 7);
    await writeCheckpoint(join(run, "checkpoints", name), model, 20);
    const results = await freezeRun({ run, formats: ["graph-def"] });
    const names = [formatStepName(10), formatStepName(20), name, formatStepName(100)];
    expect(results.map(({ path }) => path)).toEqual(names.map((each) => artifactPath(run, each)));
    expect(new Set(results.map(({ manifest }) => manifest.source.digest)).size).toBe(4);
  });

  it("captures each topology of a run that has two", async () => {
    const run = join(await createTemporaryFolder(), "run");
    await writeRun(run, [createDenseModel(1), createDenseModel(2), createConvModel(3)]);
    const kinds: string[] = [];
    await freezeRun({ run, formats: ["graph-def"], onProgress: ({ kind }) => kinds.push(kind) });

    expect(kinds.filter((kind) => kind === "captured")).toHaveLength(2);
  });

  it("stops at a checkpoint with damaged weights, by name, and keeps what it made before", async () => {
    const { run } = await createRun();
    await damageFile(join(checkpointPath(run, 20), "weights.bin"));

    const error = await freezeRun({ run, formats: ["graph-def"] }).catch((error: unknown) => error);
    expect(isCkptError(error, "DIGEST_MISMATCH") && error.details.path).toBe(
      join(checkpointPath(run, 20), "weights.bin"),
    );
    expect(Object.keys(await describeFolder(join(run, "artifacts")))).toEqual([
      "step-00000010/artifact.json",
      "step-00000010/frozen.pb",
    ]);
  });

  it("holds a lease of each checkpoint while it is frozen, and none after", async () => {
    const { run } = await createRun();
    const lock = await lockRun(run);
    const removals: Promise<Removal>[] = [];
    const progress: FreezeProgress[] = [];
    const onProgress = (event: FreezeProgress): void => {
      progress.push(event);
      if (event.kind === "captured") removals.push(removeUnleased(event.source, run));
    };
    await freezeRun({ run, formats: ["graph-def"], onProgress });
    expect(await Promise.all(removals)).toMatchObject([{ kind: "leased", holder: { pid: process.pid } }]);
    expect(await readdir(join(run, "checkpoints"))).toEqual(["step-00000010", "step-00000020", "step-00000100"]);
    await lock.release();
  });

  it("leaves no lease when a checkpoint fails", async () => {
    const { run } = await createRun();
    await damageFile(join(checkpointPath(run, 10), "weights.bin"));
    await expect(freezeRun({ run })).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(await readdir(join(run, "checkpoints"))).toEqual(["step-00000010", "step-00000020", "step-00000100"]);
  });

  it("leaves out a checkpoint that the run removed after it was listed, unless all are gone", async () => {
    const { run } = await createRun();
    const source = await readSource(run);
    if (source.kind !== "run") throw new TypeError("not a run");
    await removeFolder(checkpointPath(run, 20));
    const skipped: FreezeProgress[] = [];
    const onProgress = (event: FreezeProgress): void => void (event.kind === "skipped" && skipped.push(event));
    const results = await freezeRun({ run: source, formats: ["graph-def"], onProgress });
    expect(results.map(({ manifest }) => manifest.source.step)).toEqual([10, 100]);
    expect(skipped).toMatchObject([{ step: 20, reason: expect.stringContaining(checkpointPath(run, 20)) as string }]);

    for (const step of [10, 100]) await removeFolder(checkpointPath(run, step));
    for (const step of [10, 100]) await removeFolder(artifactPath(run, formatStepName(step)));
    await expect(freezeRun({ run: source })).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    const [gone] = source.checkpoints;
    if (gone === undefined) throw new TypeError("no checkpoint");
    const out = join(run, "one");
    await expect(freeze({ source: gone, out })).rejects.toMatchObject({ code: "MANIFEST_MISSING" });
  });

  it("refuses what is not a run", async () => {
    const checkpoint = await writeCheckpoint(join(await createTemporaryFolder(), "one"), createDenseModel(), 1);
    await expect(freezeRun({ run: checkpoint })).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  });
});

describe("readSource of a run", () => {
  it("leaves out what was never committed, and tells what is damaged", async () => {
    const { run } = await createRun();
    await rm(join(checkpointPath(run, 10), "checkpoint.json"));
    const manifest = join(checkpointPath(run, 20), "checkpoint.json");
    await writeFile(manifest, (await readFile(manifest, "utf8")).replace('"epoch": 1', '"epoch": 2'));

    const source = await readSource(run);
    if (source.kind !== "run") throw new TypeError("not a run");
    expect(source.checkpoints.map(({ step }) => step)).toEqual([100]);
    expect(source.skipped).toHaveLength(1);
    expect(source.skipped[0]).toContain(manifest);
  });

  it("refuses a run with no valid checkpoint", async () => {
    const run = join(await createTemporaryFolder(), "run");
    await writeRun(run, []);
    await expect(readSource(run)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  });

  it("refuses a checkpoint that a newer ckpt wrote", async () => {
    const { run } = await createRun();
    const path = join(checkpointPath(run, 20), "checkpoint.json");
    const { serializeDocument } = await import("@ckpt/manifest");
    await writeFile(path, serializeDocument({ kind: "checkpoint", schemaVersion: 99 }));
    await expect(readSource(run)).rejects.toMatchObject({ code: "SCHEMA_TOO_NEW" });
  });
});
