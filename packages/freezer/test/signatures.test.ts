import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { convertGraphDefToGraphModel, parseSavedModel } from "@ckpt/graph";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { freeze, freezeRun } from "../src/index.js";
import { createTemporaryFolder, describeFolder, writeCheckpoint, writeRun } from "./folders.js";
import { setRandomWeights } from "./models.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** An encoder with batch normalization, whose output is of use by itself, and a second input behind it. */
function createModel(seed = 1): tf.LayersModel {
  const image = tf.input({ shape: [6], name: "image" });
  const hint = tf.input({ shape: [2], name: "hint" });
  const dense = tf.layers.dense({ units: 4, name: "embedding" }).apply(image) as tf.SymbolicTensor;
  const norm = tf.layers.batchNormalization({ name: "norm" }).apply(dense) as tf.SymbolicTensor;
  const joined = tf.layers.concatenate({ name: "joined" }).apply([norm, hint]) as tf.SymbolicTensor;
  const classes = tf.layers.dense({ units: 3, activation: "softmax", name: "classes" }).apply(joined);
  const model = tf.model({ inputs: [image, hint], outputs: classes as tf.SymbolicTensor });
  setRandomWeights(model, seed);
  return model;
}

const furtherSignatures = { features: { outputs: ["norm", "classes"] }, embed: { outputs: ["embedding"] } };

async function runSignature(artifact: string, key: string, feeds: tf.NamedTensorMap): Promise<Float32Array> {
  const file = join(artifact, "saved-model/saved_model.pb");
  const { graphDef, signature } = parseSavedModel(await readFile(file), file, key);
  const model = await tf.loadGraphModel(tf.io.fromMemory(convertGraphDefToGraphModel(graphDef, signature)));
  const [name = ""] = signature.outputs.map(({ name }) => name);
  return (model.execute(feeds, name) as tf.Tensor).dataSync<"float32">();
}

describe("further signatures", () => {
  it("stand in the SavedModel, each with the inputs it needs, and are compared with that piece of the model", async () => {
    const folder = await createTemporaryFolder();
    const model = createModel();
    const source = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
    const { numTensors } = tf.memory();
    const { path, manifest } = await freeze({ source, out: join(folder, "artifact"), furtherSignatures });

    expect(tf.memory().numTensors).toBe(numTensors);
    expect(manifest.signature.outputs.map(({ name }) => name)).toEqual(["classes"]);
    expect(manifest.furtherSignatures).toEqual({
      embed: {
        inputs: [{ name: "image", dtype: "float32", shape: [null, 6] }],
        outputs: [{ name: "embedding", dtype: "float32", shape: [null, 4] }],
      },
      features: {
        inputs: manifest.signature.inputs,
        outputs: [{ name: "norm", dtype: "float32", shape: [null, 4] }, manifest.signature.outputs[0]],
      },
    });
    const compared = manifest.parity.filter(({ signature }) => signature !== undefined);
    expect(compared.map(({ format, signature, output }) => [format, signature, output])).toEqual([
      ["saved-model", "embed", "embedding"],
      ["saved-model", "features", "norm"],
      ["saved-model", "features", "classes"],
    ]);
    const image = tf.randomNormal([3, 6], 0, 1, "float32", 7);
    const hint = tf.randomNormal([3, 2], 0, 1, "float32", 8);
    const expected = (model.getLayer("embedding").apply(image) as tf.Tensor).dataSync();
    const classes = (model.predict([image, hint]) as tf.Tensor).dataSync();
    const embedded = await runSignature(path, "embed", { image });
    const served = await runSignature(path, "serving_default", { image, hint });
    expect(Math.max(...expected.map((value, at) => Math.abs(value - (embedded[at] ?? NaN))))).toBeLessThan(1e-5);
    expect(Math.max(...classes.map((value, at) => Math.abs(value - (served[at] ?? NaN))))).toBeLessThan(1e-5);
  });

  it("leave the other formats as they are without", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createModel(), 1);
    const plain = await freeze({ source, out: join(folder, "plain") });
    const several = await freeze({ source, out: join(folder, "several"), furtherSignatures });
    const { "artifact.json": _, "saved-model/saved_model.pb": __, ...files } = await describeFolder(plain.path);
    expect(Object.keys(files)).toHaveLength(4);
    expect(await describeFolder(several.path)).toMatchObject(files);
  });

  it("are part of what was asked for: in another order the same artifact, others another", async () => {
    const folder = await createTemporaryFolder();
    const run = join(folder, "run");
    await writeRun(run, [createModel(1), createModel(2)]);
    const { embed, features } = furtherSignatures;
    const made = await freezeRun({ run, furtherSignatures });
    expect(made.map(({ manifest }) => Object.keys(manifest.furtherSignatures ?? {}))).toEqual([
      ["embed", "features"],
      ["embed", "features"],
    ]);
    const isReused = async (given: Parameters<typeof freezeRun>[0]["furtherSignatures"]): Promise<boolean[]> =>
      (await freezeRun({ run, ...(given === undefined ? {} : { furtherSignatures: given }) })).map(
        (each) => each.isReused,
      );
    expect(await isReused({ embed, features })).toEqual([true, true]);
    expect(await isReused({ embed })).toEqual([false, false]);
    expect(await isReused(undefined)).toEqual([false, false]);
  });

  it("can be those of a GraphModel, by its nodes", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createModel(), 1);
    const { path } = await freeze({ source, out: join(folder, "first") });
    // Batch normalization is folded into the layer before it.
    const node = "norm/AddV2_1";
    const again = await freeze({
      source: join(path, "graph-model/model.json"),
      out: join(folder, "second"),
      furtherSignatures: { embed: { outputs: [node] } },
    });
    expect(again.manifest.furtherSignatures?.["embed"]?.inputs.map(({ name }) => name)).toEqual(["image"]);
    expect(again.manifest.parity).toContainEqual(expect.objectContaining({ signature: "embed", output: node }));
  });

  it.each([
    [{ serving_default: { outputs: ["classes"] } }, "furtherSignatures.serving_default"],
    [{ "a b": { outputs: ["classes"] } }, "furtherSignatures.a b"],
    [{ embed: { outputs: [] } }, "furtherSignatures.embed.outputs"],
    [{ embed: { outputs: ["norm", "norm"] } }, "furtherSignatures.embed.outputs"],
    [{ embed: { outputs: ["unheard"] } }, "outputs"],
  ])("are refused where they make no sense: %j", async (given, option) => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createModel(), 1);
    const frozen = freeze({ source, out: join(folder, "artifact"), furtherSignatures: given });
    await expect(frozen).rejects.toMatchObject({ code: "INVALID_OPTION", details: { option } });
  });

  it("are refused where no SavedModel is written", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createModel(), 1);
    const frozen = freeze({ source, out: join(folder, "artifact"), furtherSignatures, formats: ["onnx"] });
    await expect(frozen).rejects.toMatchObject({ code: "INVALID_OPTION", details: { option: "furtherSignatures" } });
  });
});
