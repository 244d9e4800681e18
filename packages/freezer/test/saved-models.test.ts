import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { freeze } from "../src/index.js";
import { createTemporaryFolder } from "./folders.js";
import { createConvModel, createDenseModel } from "./models.js";
import { predictArtifact } from "./predict-artifact.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

async function captureSaved(model: tf.LayersModel, includeOptimizer = false): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
    { includeOptimizer },
  );
  return saved;
}

async function writeModel(
  artifacts: tf.io.ModelArtifacts,
  specs: readonly tf.io.WeightsManifestEntry[],
  bytes: Uint8Array,
  shardBytes: number,
): Promise<string> {
  const folder = join(await createTemporaryFolder(), "model");
  await mkdir(join(folder, "shards"), { recursive: true });
  const count = Math.ceil(bytes.byteLength / shardBytes);
  const paths = Array.from({ length: count }, (_, index) => `./shards/group1-shard${index + 1}of${count}.bin`);
  for (const [index, path] of paths.entries()) {
    await writeFile(join(folder, path), bytes.subarray(index * shardBytes, (index + 1) * shardBytes));
  }
  const { modelTopology, trainingConfig, userDefinedMetadata } = artifacts;
  const weightsManifest = [{ paths, weights: specs }];
  const json = JSON.stringify({ modelTopology, trainingConfig, userDefinedMetadata, weightsManifest });
  await writeFile(join(folder, "model.json"), json);
  return join(folder, "model.json");
}

describe("a LayersModel as TensorFlow.js saves it", () => {
  it("may have been trained and saved with its optimizer, in shards in a folder below", async () => {
    const model = createConvModel(3);
    model.compile({ optimizer: tf.train.adam(0.01), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
    const x = tf.randomNormal([4, 8, 8, 1], 0, 1, "float32", 1);
    await model.trainOnBatch(x, tf.oneHot(tf.tensor1d([0, 1, 2, 3], "int32"), 10));
    const saved = await captureSaved(model, true);
    expect(saved.weightSpecs?.some(({ group }) => group === "optimizer")).toBe(true);
    model.setUserDefinedMetadata({ labels: ["a", "b"] });
    const bytes = new Uint8Array(saved.weightData as ArrayBuffer);
    const source = await writeModel(saved, saved.weightSpecs ?? [], bytes, 1000);

    const { path, manifest } = await freeze({ source, out: join(source, "../artifact") });
    expect(Math.max(...manifest.parity.map(({ maxAbsoluteError }) => maxAbsoluteError))).toBeLessThan(1e-5);
    const expected = (model.predict(x) as tf.Tensor).dataSync();
    const [found] = await predictArtifact(path, [x]);
    for (const [at, value] of expected.entries()) expect(found?.[at]).toBeCloseTo(value, 5);
  });

  it.each([
    ["uint8", { dtype: "uint8", min: -0.4, scale: 0.8 / 255 }, Uint8Array, 0.02],
    ["uint16", { dtype: "uint16", min: -0.4, scale: 0.8 / 65_535 }, Uint16Array, 1e-4],
  ] as const)("may be quantized to %s", async (_name, quantization, Stored, error) => {
    const model = createDenseModel(3);
    const saved = await captureSaved(model);
    const values = new Float32Array(saved.weightData as ArrayBuffer);
    const { min, scale } = quantization;
    const stored = new Stored([...values].map((value) => Math.round((value - min) / scale)));
    const specs = (saved.weightSpecs ?? []).map(({ name, dtype, shape }) => ({ name, dtype, shape, quantization }));
    const source = await writeModel(saved, specs, new Uint8Array(stored.buffer), 777);

    const { path } = await freeze({ source, out: join(source, "../artifact") });
    const x = tf.randomNormal([4, 64], 0, 1, "float32", 1);
    const expected = (model.predict(x) as tf.Tensor).dataSync();
    const [found] = await predictArtifact(path, [x]);
    const errors = [...expected].map((value, at) => Math.abs(value - (found?.[at] ?? Number.NaN)));
    expect(Math.max(...errors)).toBeLessThan(error);
    expect(Math.max(...errors)).toBeGreaterThan(0);
  });
});
