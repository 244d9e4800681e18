import type { Split } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { hasBatchNorm, recomputeBatchNorm } from "../src/index.js";
import { createPermutation, createRandom } from "../src/random.js";
import { createModel, createSplit, data, disposeModels, readWeights } from "./fixture.js";

beforeAll(() => tf.setBackend("cpu"));

/** Rows of a split's only input, in the order that seed 1 gives them. */
async function readRows(split: Split): Promise<readonly (readonly number[])[]> {
  const { inputs } = await split.gather(createPermutation(split.rowCount, createRandom(1, "batch-norm")));
  const { data: values = new Float32Array(), shape = [] } = inputs["x"] ?? {};
  const width = shape[1] ?? 0;
  return Array.from({ length: split.rowCount }, (_, row) => Array.from(values.slice(row * width, (row + 1) * width)));
}

/** Mean over batches of 16 of each batch's mean and variance of every column; whole batches only. */
function averageStatistics(rows: readonly (readonly number[])[]): {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
} {
  const width = rows[0]?.length ?? 0;
  const batchCount = Math.floor(rows.length / 16);
  const mean = Array.from({ length: width }, () => 0);
  const variance = mean.slice();
  for (let batch = 0; batch < batchCount; batch++) {
    const part = rows.slice(batch * 16, batch * 16 + 16);
    for (let at = 0; at < width; at++) {
      const column = part.map((row) => row[at] ?? 0);
      const center = column.reduce((sum, value) => sum + value, 0) / 16;
      const spread = column.reduce((sum, value) => sum + (value - center) ** 2, 0) / 16;
      mean[at] = (mean[at] ?? 0) + center / batchCount;
      variance[at] = (variance[at] ?? 0) + spread / batchCount;
    }
  }
  return { mean, variance };
}

async function recomputeAfterDropout(seed: number): Promise<readonly number[]> {
  const layers = [tf.layers.dropout({ rate: 0.5, inputShape: [4] }), tf.layers.batchNormalization({ name: "bn" })];
  const model = tf.sequential({ layers });
  await recomputeBatchNorm(model, { split: data.train, batchSize: 16, seed });
  const weights = readWeights(model);
  model.dispose();
  return weights;
}

function readWeight(model: tf.LayersModel, name: string): readonly number[] {
  const index = model.weights.findIndex(({ originalName }) => originalName === name);
  return Array.from(model.getWeights()[index]?.dataSync() ?? []);
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 6);
}

describe("hasBatchNorm", () => {
  it("finds a layer at any depth, and none where there is none", () => {
    const dense = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4] })] });
    expect(hasBatchNorm(dense)).toBe(false);
    const inner = tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [4] })] });
    expect(hasBatchNorm(inner)).toBe(true);
    const outer = tf.sequential({ layers: [tf.layers.timeDistributed({ layer: inner, inputShape: [3, 4] })] });
    expect(hasBatchNorm(outer)).toBe(true);
    for (const model of [dense, outer]) model.dispose();
  });
});

describe("recomputeBatchNorm", () => {
  it("gives the mean of the statistics of the whole batches, in front, nested or within a wrapper", async () => {
    const nested = tf.sequential({
      layers: [tf.layers.batchNormalization({ name: "inner", inputShape: [4], momentum: 0.5 })],
    });
    const input = tf.input({ shape: [4], name: "x" });
    const own = tf.layers.batchNormalization({ name: "own" }).apply(input);
    const inner = nested.apply(input);
    const steps = tf.layers.reshape({ targetShape: [1, 4] }).apply(input) as tf.SymbolicTensor;
    const wrapped = tf.layers
      .timeDistributed({ name: "wrapper", layer: tf.layers.batchNormalization({ name: "wrapped" }) })
      .apply(steps) as tf.SymbolicTensor;
    const flat = tf.layers.flatten().apply(wrapped);
    const outputs = tf.layers.concatenate().apply([own, inner, flat] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs });
    const { numTensors } = tf.memory();
    await recomputeBatchNorm(model, { split: data.train, batchSize: 16, seed: 1 });
    expect(tf.memory().numTensors).toBe(numTensors);

    // 50 rows: three batches of 16; the last two rows count for nothing.
    const { mean, variance } = averageStatistics(await readRows(data.train));
    const names = model.weights.map(({ originalName }) => originalName);
    for (const kind of ["moving_mean", "moving_variance"]) {
      const found = names.filter((name) => name.endsWith(kind));
      expect(found).toHaveLength(3);
      for (const name of found) expectClose(readWeight(model, name), kind === "moving_mean" ? mean : variance);
    }
    // What it was built with is what goes on, and into model.json.
    expect(nested.layers[0]?.getConfig()["momentum"]).toBe(0.5);
    expect(Object.hasOwn(nested.layers[0] ?? {}, "call")).toBe(false);
    model.dispose();
  });

  it("counts every application of a layer that is used twice", async () => {
    const shared = tf.layers.batchNormalization({ name: "shared" });
    const input = tf.input({ shape: [4], name: "x" });
    const doubled = tf.layers.add().apply([input, input] as tf.SymbolicTensor[]);
    const outputs = tf.layers
      .add()
      .apply([shared.apply(input), shared.apply(doubled)] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs });
    await recomputeBatchNorm(model, { split: data.train, batchSize: 16, seed: 1 });
    const { mean, variance } = averageStatistics(await readRows(data.train));
    // x and 2x: means 1 and 2 times as large, variances 1 and 4 times.
    expectClose(
      readWeight(model, "shared/moving_mean"),
      mean.map((value) => value * 1.5),
    );
    expectClose(
      readWeight(model, "shared/moving_variance"),
      variance.map((value) => value * 2.5),
    );
    model.dispose();
  });

  it("takes the only batch, though it is incomplete", async () => {
    const model = tf.sequential({ layers: [tf.layers.batchNormalization({ name: "bn", inputShape: [4] })] });
    const split = createSplit("small", "train", 5);
    await recomputeBatchNorm(model, { split, batchSize: 16, seed: 1 });
    const rows = await readRows(split);
    const mean = [0, 1, 2, 3].map((at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0) / 5);
    expectClose(readWeight(model, "bn/moving_mean"), mean);
    model.dispose();
  });

  it("draws dropout from the seed, and puts Math.random back", async () => {
    const { random } = Math;
    const first = await recomputeAfterDropout(1);
    expect(await recomputeAfterDropout(1)).toEqual(first);
    expect(await recomputeAfterDropout(2)).not.toEqual(first);
    expect(Math.random).toBe(random);
  });

  it("does nothing to a model without such layers, and refuses a split that does not fit", async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] });
    const before = readWeights(model);
    expect(await recomputeBatchNorm(model, { split: data.train, batchSize: 16, seed: 1 })).toBe(0);
    expect(readWeights(model)).toEqual(before);
    const wide = createModel();
    const split: Split = { ...data.train, inputs: [{ name: "x", dtype: "float32", shape: [null, 5] }] };
    await expect(recomputeBatchNorm(wide, { split, batchSize: 16, seed: 1 })).rejects.toMatchObject({
      code: "SIGNATURE_MISMATCH",
    });
    disposeModels(model, wide);
  });

  it("stops between two batches when told to, with the layer's own momentum back", async () => {
    const model = tf.sequential({
      layers: [tf.layers.batchNormalization({ name: "bn", inputShape: [4], momentum: 0.9 })],
    });
    const controller = new AbortController();
    const split: Split = {
      ...data.train,
      gather: (rows) => {
        controller.abort();
        return data.train.gather(rows);
      },
    };
    const options = { split, batchSize: 16, seed: 1, signal: controller.signal };
    await expect(recomputeBatchNorm(model, options)).rejects.toMatchObject({ name: "AbortError" });
    expect(model.layers[0]?.getConfig()["momentum"]).toBe(0.9);
    model.dispose();
  });
});
