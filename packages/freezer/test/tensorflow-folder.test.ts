import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { openBundle, type TensorValue, writeBundle } from "@ckpt/tensor-bundle";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { freeze, freezeFolder, type FreezeProgress, readSource, readWeights } from "../src/index.js";
import { createTemporaryFolder, describeFolder } from "./folders.js";
import { predictArtifact } from "./predict-artifact.js";

const fixtures = join(import.meta.dirname, "fixtures/tensorflow");
const formats = ["graph-model"] as const;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** A copy of a fixture that may be changed. */
async function copyFixture(name: string): Promise<string> {
  const folder = join(await createTemporaryFolder(), "save");
  await cp(join(fixtures, name), folder, { recursive: true });
  return folder;
}

/** All tensors of a checkpoint. */
async function readTensors(prefix: string): Promise<Map<string, TensorValue>> {
  const bundle = await openBundle(prefix);
  try {
    const tensors = new Map<string, TensorValue>();
    for (const key of bundle.entries.keys()) tensors.set(key, await bundle.read(key));
    return tensors;
  } finally {
    await bundle.close();
  }
}

/** A checkpoint beside those of `mlp-ref`, with the same graph and other tensors. */
async function saveChanged(change: (tensors: Map<string, TensorValue>) => void): Promise<string> {
  const folder = await copyFixture("mlp-ref");
  const tensors = await readTensors(join(folder, "-mlp3-40"));
  change(tensors);
  const prefix = join(folder, "-changed-50");
  await writeBundle(prefix, tensors);
  await cp(join(folder, "-mlp3-40.meta"), `${prefix}.meta`);
  return prefix;
}

describe("freezeFolder", () => {
  it("captures the graph once for all checkpoints, and leaves what is there as it is", async () => {
    const folder = await copyFixture("mlp-ref");
    const events: FreezeProgress[] = [];
    const tensorCount = tf.memory().numTensors;
    const options = { folder, formats, outputs: ["probs"], onProgress: (event: FreezeProgress) => events.push(event) };
    const results = await freezeFolder(options);
    expect(results.map(({ path }) => path)).toEqual(
      ["step-00000010", "step-00000020", "step-00000040"].map((name) => join(folder, "artifacts", name)),
    );
    expect(results.map(({ manifest }) => [manifest.source.kind, manifest.source.step])).toEqual(
      [10, 20, 40].map((step) => ["tensorflow-checkpoint", step]),
    );
    expect(events.filter(({ kind }) => kind === "captured")).toHaveLength(1);
    expect(tf.memory().numTensors).toBe(tensorCount);

    const before = await describeFolder(folder, true);
    const again = await freezeFolder(options);
    expect(again.map(({ isReused }) => isReused)).toEqual([true, true, true]);
    expect(await describeFolder(folder, true)).toEqual(before);
    const other = await freezeFolder({ ...options, outputs: ["classes/add"] });
    expect(other.map(({ isReused }) => isReused)).toEqual([false, false, false]);
  });

  it("gives the same bytes as one checkpoint alone, in one thread or several", async () => {
    const folder = await copyFixture("mlp-ref");
    const data = new SharedArrayBuffer(4);
    const workers = { module: new URL("./set-up-worker.ts", import.meta.url).href, data, count: 2 };
    const results = await freezeFolder({ folder, out: join(folder, "all"), formats, outputs: ["probs"], workers });
    const alone = await freeze({
      source: join(folder, "-mlp3-40"),
      out: join(folder, "alone"),
      formats,
      outputs: ["probs"],
    });
    expect(await describeFolder(alone.path)).toEqual(await describeFolder(results.at(-1)!.path));
  });

  it("says what it left out, and names artifacts by their checkpoints where steps do not tell them apart", async () => {
    const folder = await copyFixture("mlp-ref");
    await rm(join(folder, "-mlp3-10.meta"));
    await rm(join(folder, "-mlp3-20.index"));
    await rm(join(folder, "-mlp3-20.data-00000-of-00001"));
    for (const end of [".meta", ".index", ".data-00000-of-00001"]) {
      await cp(join(folder, `-mlp3-40${end}`), join(folder, `other-40${end}`));
    }
    const names = ["-mlp3-10", "-mlp3-20", "-mlp3-40", "other-40"];
    const lines = names.map((name) => `all_model_checkpoint_paths: "${name}"\n`);
    await writeFile(join(folder, "checkpoint"), `model_checkpoint_path: "other-40"\n${lines.join("")}`);
    const source = await readSource(folder);
    if (source.kind !== "tensorflow-folder") throw new TypeError(`found ${source.kind}`);
    expect(source.skipped).toEqual([
      expect.stringMatching(/^-mlp3-20: .*no such file/),
      expect.stringMatching(/^-mlp3-10: no graph/),
    ]);
    const results = await freezeFolder({ folder: source, formats, outputs: ["probs"] });
    expect(results.map(({ path }) => basename(path))).toEqual(["-mlp3-40", "other-40"]);

    const withGraph = await readSource(folder, { graph: join(folder, "-mlp3-40.meta") });
    expect(withGraph).toMatchObject({ checkpoints: [{ step: 10 }, { step: 40 }, { step: 40 }] });
  });

  it("refuses a folder in which nothing can be frozen, and other folders", async () => {
    const folder = await copyFixture("object-based");
    await expect(freezeFolder({ folder })).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    await expect(freezeFolder({ folder: join(fixtures, "saved-model-tf1/model") })).rejects.toMatchObject({
      code: "CHECKPOINT_NOT_FOUND",
    });
    await expect(freeze({ source: join(fixtures, "mlp-ref"), out: folder })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    await expect(readWeights(join(fixtures, "mlp-ref"))).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});

describe("a checkpoint of TensorFlow", () => {
  it("lists the likeliest outputs where none is named", async () => {
    const source = join(fixtures, "mlp-ref/-mlp3-40");
    await expect(freeze({ source, out: join(await createTemporaryFolder(), "artifact") })).rejects.toMatchObject({
      code: "OUTPUTS_NOT_NAMED",
      details: { candidates: expect.arrayContaining([{ name: "probs", op: "Softmax" }]) },
      remedy: expect.stringContaining(`ckpt freeze ${source} --outputs probs`),
    });
  });

  it.each([
    ["conv-batch-norm", { outputs: ["probs"] }, "MODEL_UNREADABLE", /placeholder is_training/],
    ["conv-batch-norm-if", { outputs: ["probs"] }, "MODEL_UNREADABLE", /placeholder is_training/],
    [
      "conv-batch-norm",
      { outputs: ["probs"], pins: { is_training: true } },
      "MODEL_UNREADABLE",
      /statistics of the batch/,
    ],
    ["dropout", { outputs: ["probs"], pins: { keep: 1 } }, "INVALID_OPTION", /keep_prob/],
    ["dropout", { outputs: ["prob"], pins: { keep_prob: 1 } }, "INVALID_OPTION", /such as probs/],
    ["dropout", { outputs: ["probs"], inputs: ["inp"] }, "INVALID_OPTION", /placeholders/],
    ["dropout", { outputs: ["probs"], signature: "classify" }, "INVALID_OPTION", /no signatures/],
    ["mlp-resource", { outputs: ["probs"], isAveraged: true }, "INVALID_OPTION", /moving averages/],
  ])("that cannot be frozen so says why: %s %o", async (name, options, code, message) => {
    const folder = await copyFixture(name);
    const out = join(folder, "artifact");
    const source = join(folder, "model.ckpt-20");
    const tensorCount = tf.memory().numTensors;
    await expect(freeze({ source, out, formats, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(tf.memory().numTensors).toBe(tensorCount);
  });

  it.each([
    ["is missing", (tensors: Map<string, TensorValue>) => tensors.delete("hidden/kernel"), "nothing"],
    [
      "has another shape",
      (tensors: Map<string, TensorValue>) =>
        tensors.set("hidden/kernel", { dtype: "float32", shape: [8, 6], values: new Float32Array(48) }),
      "float32 [8, 6]",
    ],
    [
      "has another dtype",
      (tensors: Map<string, TensorValue>) =>
        tensors.set("hidden/kernel", { dtype: "int32", shape: [6, 8], values: new Int32Array(48) }),
      "int32 [6, 8]",
    ],
  ])("names the variable that %s", async (_, change, found) => {
    const source = await saveChanged(change);
    await expect(freeze({ source, out: `${source}.artifact`, formats, outputs: ["probs"] })).rejects.toMatchObject({
      code: "WEIGHTS_MISMATCH",
      details: { path: source, weight: "hidden/kernel", expected: "float32 [6, 8]", found },
    });
  });

  it("takes moving averages if asked to, and does not take an artifact without for one", async () => {
    const zeros: TensorValue = { dtype: "float32", shape: [8, 3], values: new Float32Array(24) };
    const bias: TensorValue = { dtype: "float32", shape: [3], values: new Float32Array(3) };
    const source = await saveChanged((tensors) => {
      tensors.set("classes/kernel/ExponentialMovingAverage", zeros);
      tensors.set("classes/bias/ExponentialMovingAverage", bias);
    });
    const options = { source, out: `${source}.artifact`, formats, outputs: ["probs"] };
    const { manifest: plain } = await freeze(options);
    const averaged = await freeze({ ...options, isAveraged: true });
    expect([plain.source.isAveraged, averaged.manifest.source.isAveraged]).toEqual([undefined, true]);
    const x = tf.ones([1, 6]);
    const [probs] = await predictArtifact(averaged.path, [x]);
    x.dispose();
    for (const each of probs!) expect(each).toBeCloseTo(1 / 3, 6);
  });

  it("has float64 variables where the graph was made for float32 ones", async () => {
    const source = await saveChanged((tensors) => {
      const { values } = tensors.get("hidden/kernel")!;
      tensors.set("hidden/kernel", {
        dtype: "float64",
        shape: [6, 8],
        values: Float64Array.from(values as Float32Array),
      });
    });
    const frozen = await freeze({ source, out: `${source}.artifact`, formats, outputs: ["probs"] });
    const before = await freeze({
      source: join(source, "../-mlp3-40"),
      out: join(source, "../before"),
      formats,
      outputs: ["probs"],
    });
    const x = tf.ones([2, 6]);
    expect(await predictArtifact(frozen.path, [x])).toEqual(await predictArtifact(before.path, [x]));
    x.dispose();
  });

  it("refuses files that were changed between looking and loading", async () => {
    const folder = await copyFixture("mlp-ref");
    const source = await readSource(join(folder, "-mlp3-40"));
    if (source.kind !== "tensorflow-checkpoint") throw new TypeError(`found ${source.kind}`);
    const other = await readFile(join(folder, "-mlp3-20.index"));
    await writeFile(join(folder, "-mlp3-40.index"), other);
    await expect(freeze({ source, out: join(folder, "artifact"), outputs: ["probs"] })).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
    });
  });

  it("has pins that are part of what an artifact is", async () => {
    const folder = await copyFixture("dropout");
    const options = {
      source: join(folder, "model.ckpt-20"),
      out: join(folder, "artifact"),
      formats,
      outputs: ["probs"],
    };
    const { manifest } = await freeze({ ...options, pins: { keep_prob: 1 } });
    expect(manifest.pins).toEqual({ keep_prob: "1" });
    expect((await freeze({ ...options, pins: { keep_prob: "1" } })).isReused).toBe(true);
    expect((await freeze({ ...options, pins: { keep_prob: "1.0" } })).isReused).toBe(false);
  });
});

describe("a SavedModel", () => {
  it("is frozen for one of its signatures, or for nodes of its graph", async () => {
    const source = join(fixtures, "saved-model-tf1/model");
    const folder = await createTemporaryFolder();
    const out = join(folder, "artifact");
    await expect(freeze({ source, out, signature: "train" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining("one of serving_default"),
    });
    const { manifest } = await freeze({ source, out, formats, outputs: ["probabilities", "hidden/add"] });
    expect(manifest.source).toEqual({ kind: "saved-model", digest: expect.any(String) });
    expect(manifest.signature.outputs.map(({ name }) => name)).toEqual(["probabilities", "hidden/add"]);
  });
});

describe("options of a graph of TensorFlow", () => {
  it("are refused for anything else", async () => {
    const { path } = await freeze({
      source: join(fixtures, "mlp-ref/-mlp3-40"),
      out: join(await createTemporaryFolder(), "artifact"),
      formats,
      outputs: ["probs"],
    });
    const source = join(path, "graph-model/model.json");
    await expect(freeze({ source, out: join(path, "again"), pins: { inp: 1 } })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "--pin" },
    });
    await expect(readSource(source, { graph: source })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});
