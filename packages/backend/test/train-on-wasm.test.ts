import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { type BackendName, selectBackend } from "../src/index.js";

const batchSize = 16;
const classCount = 4;

const initializer = (seed: number): ReturnType<typeof tf.initializers.glorotUniform> =>
  tf.initializers.glorotUniform({ seed });

/** Convolutions with and without padding and stride, both poolings, batch normalisation, dropout and a dense layer. */
function buildModel(): tf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [14, 14, 1], filters: 6, kernelSize: 3, kernelInitializer: initializer(1) }),
      tf.layers.batchNormalization(),
      tf.layers.activation({ activation: "relu" }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 8, kernelSize: 3, padding: "same", kernelInitializer: initializer(2) }),
      tf.layers.averagePooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 8, kernelSize: 2, strides: 2, kernelInitializer: initializer(3) }),
      tf.layers.flatten(),
      tf.layers.dropout({ rate: 0.25, seed: 4 }),
      tf.layers.dense({ units: classCount, activation: "softmax", kernelInitializer: initializer(5) }),
    ],
  });
}

const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  rmsprop: () => tf.train.rmsprop(0.005),
  adam: () => tf.train.adam(0.005),
};

interface Training {
  readonly losses: readonly number[];
  /** Tensors and backend data at the end of each step. */
  readonly tensorCounts: readonly number[];
}

async function train(backend: BackendName, makeOptimizer: () => tf.Optimizer, stepCount: number): Promise<Training> {
  await selectBackend(backend);
  const model = buildModel();
  model.compile({ optimizer: makeOptimizer(), loss: "sparseCategoricalCrossentropy" });
  const x = tf.randomNormal([batchSize, 14, 14, 1], 0, 1, "float32", 9);
  const y = tf.tensor1d(Array.from({ length: batchSize }, (_, index) => index % classCount));
  const losses: number[] = [];
  const tensorCounts: number[] = [];
  for (let step = 0; step < stepCount; step += 1) {
    const loss = await model.trainOnBatch(x, y);
    losses.push(typeof loss === "number" ? loss : Number.NaN);
    tensorCounts.push(tf.memory().numTensors + tf.backend().numDataIds());
  }
  tf.dispose([x, y]);
  model.dispose();
  return { losses, tensorCounts };
}

describe("training a small CNN on the backend wasm", () => {
  it.each(Object.entries(optimizers))("with %s has the losses of the cpu backend", async (_, makeOptimizer) => {
    const onCpu = await train("cpu", makeOptimizer, 6);
    const onWasm = await train("wasm", makeOptimizer, 6);
    onCpu.losses.forEach((loss, step) => {
      expect(Math.abs((onWasm.losses[step] ?? Number.NaN) - loss) / loss).toBeLessThan(1e-4);
    });
    expect(onCpu.losses.at(-1)).toBeLessThan((onCpu.losses[0] ?? 0) * 0.9);
  });

  it("repeats bit for bit", async () => {
    const first = await train("wasm", () => tf.train.adam(0.005), 8);
    const second = await train("wasm", () => tf.train.adam(0.005), 8);
    expect(second.losses).toEqual(first.losses);
  });

  it("holds the number of tensors from the second step on, when the optimizer has its slots", async () => {
    const { tensorCounts } = await train("wasm", () => tf.train.adam(0.005), 12);
    expect(new Set(tensorCounts.slice(1)).size).toBe(1);
  });
});
