import { CkptError, type Split } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { createBatchConverter } from "../src/batch-tensors.js";
import { measureSplit } from "../src/measure-split.js";
import { createModel, createSplit, data, disposeModels } from "./fixture.js";

function createPlainModel(loss: string | ((a: tf.Tensor, b: tf.Tensor) => tf.Tensor), units = 3): tf.LayersModel {
  const model = tf.sequential({ layers: [tf.layers.dense({ units, activation: "softmax", inputShape: [4] })] });
  model.compile({ optimizer: "sgd", loss: loss });
  return model;
}

async function convert(model: tf.LayersModel, split: Split): Promise<{ inputs: tf.Tensor[]; labels: tf.Tensor }> {
  return createBatchConverter(model, split)(await split.read(0, 4));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("measureSplit", () => {
  it("gives the mean over rows, also when the last block is short, and leaves no tensors", async () => {
    const model = createModel();
    // Two blocks: 256 rows and 44 rows.
    const split = createSplit("large", "validation", 300);
    const batch = await split.read(0, 300);
    const toBatch = createBatchConverter(model, split);
    const before = tf.memory().numTensors;
    const measured = await measureSplit(model, split, toBatch);
    expect(tf.memory().numTensors).toBe(before);

    const { inputs, labels } = toBatch(batch);
    const probabilities = await (model.predict(inputs) as tf.Tensor2D).array();
    tf.dispose([inputs, labels]);
    const truth = [...batch.labels.data];
    expect(measured["loss"]).toBeCloseTo(mean(probabilities.map((row, i) => -Math.log(row[truth[i] ?? 0] ?? 0))), 5);
    expect(measured["acc"]).toBeCloseTo(
      mean(probabilities.map((row, i) => Number(row.indexOf(Math.max(...row)) === truth[i]))),
      6,
    );
    disposeModels(model);
  });
});

describe("createBatchConverter", () => {
  it("gives class indices as a column, or one-hot for categoricalCrossentropy", async () => {
    const column = await convert(createPlainModel("sparseCategoricalCrossentropy"), data.train);
    expect(column.labels.shape).toEqual([4, 1]);
    expect([...column.labels.dataSync()]).toEqual([0, 1, 2, 0]);
    for (const loss of ["categoricalCrossentropy", tf.metrics.categoricalCrossentropy]) {
      const { labels } = await convert(createPlainModel(loss), data.train);
      expect(labels.arraySync()).toEqual([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
      ]);
    }
  });

  it("trains with either", async () => {
    for (const loss of ["sparseCategoricalCrossentropy", "categoricalCrossentropy"]) {
      const model = createPlainModel(loss);
      const { inputs, labels } = await convert(model, data.train);
      expect(await model.trainOnBatch(inputs, labels)).toBeGreaterThan(0);
    }
  });

  it("matches several inputs by name, whatever their order", async () => {
    const [a, b] = [tf.input({ name: "a", shape: [1] }), tf.input({ name: "b", shape: [2], dtype: "int32" })];
    const joined = tf.layers
      .concatenate()
      .apply([a, tf.layers.activation({ activation: "linear" }).apply(b) as tf.SymbolicTensor]);
    const model = tf.model({ inputs: [a, b], outputs: joined as tf.SymbolicTensor });
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const split: Split = {
      ...data.train,
      inputs: [
        { name: "b", dtype: "float32", shape: [null, 2] },
        { name: "a", dtype: "float32", shape: [null, 1] },
      ],
      read: async () => ({
        rowCount: 1,
        inputs: { b: { data: Float32Array.of(2, 3), shape: [1, 2] }, a: { data: Float32Array.of(1), shape: [1, 1] } },
        labels: { data: Float32Array.of(1, 2, 3), shape: [1, 3] },
      }),
    };
    const { inputs, labels } = await convert(model, split);
    expect(inputs.map((tensor) => [tensor.dtype, [...tensor.dataSync()]])).toEqual([
      ["float32", [1]],
      ["int32", [2, 3]],
    ]);
    expect(labels.shape).toEqual([1, 3]);
    const { inputs: _inputs, ...rest } = split;
    const other = { ...rest, inputs: [{ name: "a", dtype: "float32" as const, shape: [null, 1] }] };
    expect(() => createBatchConverter(model, other)).toThrow("expected input b [?, 2], found inputs a");
  });

  it.each<readonly [string, () => tf.LayersModel, string]>([
    [
      "another input shape",
      () => {
        const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [5] })] });
        model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
        return model;
      },
      "[?, 5], found input x [?, 4]",
    ],
    ["fewer units than classes", () => createPlainModel("sparseCategoricalCrossentropy", 2), "found 3 classes"],
    ["one unit for several classes", () => createPlainModel("sparseCategoricalCrossentropy", 1), "found 3 classes"],
    [
      "two outputs",
      () => {
        const input = tf.input({ shape: [4] });
        const outputs = [1, 2].map((units) => tf.layers.dense({ units }).apply(input) as tf.SymbolicTensor);
        const model = tf.model({ inputs: input, outputs });
        model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
        return model;
      },
      "a model with one output",
    ],
  ])("refuses %s", (_what, make, message) => {
    expect(() => createBatchConverter(make(), data.train)).toThrow(message);
    expect(() => createBatchConverter(make(), data.train)).toThrow(CkptError);
  });

  it("refuses a model that is not compiled", () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
    expect(() => createBatchConverter(model, data.train)).toThrow("expected a compiled model");
  });
});
