import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { type Batch, digestBytes, type Split, type SplitRole, type TensorData } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { NamedArray } from "../src/named-array.js";
import { createRandom } from "../src/random.js";
import type { StateSnapshot, TrainingState } from "../src/training-state.js";

const featureCount = 4;
export const classes: readonly string[] = ["a", "b", "c"];

/** A split of noisy points around one centre a class, the same for the same name and size. */
export function createSplit(name: string, role: SplitRole, rowCount: number): Split {
  const random = createRandom(1, name);
  const labels = Int32Array.from({ length: rowCount }, (_, row) => row % classes.length);
  const inputs = Float32Array.from({ length: rowCount * featureCount }, (_, index) => {
    const label = labels[Math.floor(index / featureCount)] ?? 0;
    return (index % featureCount === label ? 1 : 0) + 2 * (random.next() - 0.5);
  });
  const take = (rows: readonly number[]): Batch => ({
    rowCount: rows.length,
    inputs: {
      x: {
        data: Float32Array.from(
          rows.flatMap((row) => [...inputs.subarray(row * featureCount, (row + 1) * featureCount)]),
        ),
        shape: [rows.length, featureCount],
      } satisfies TensorData,
    },
    labels: { data: Int32Array.from(rows, (row) => labels[row] ?? 0), shape: [rows.length] },
  });
  return {
    name,
    role,
    rowCount,
    digest: digestBytes(Buffer.concat([Buffer.from(inputs.buffer), Buffer.from(labels.buffer)])),
    inputs: [{ name: "x", dtype: "float32", shape: [null, featureCount] }],
    classes,
    read: async (start, end) => take(Array.from({ length: end - start }, (_, index) => start + index)),
    gather: async (indices) => take(Array.from(indices)),
  };
}

/** 50 rows: with batches of 16 an epoch is four updates, the last one of 2 rows. */
export const data: { readonly train: Split; readonly validation: Split } = {
  train: createSplit("train", "train", 50),
  validation: createSplit("validation", "validation", 30),
};

export type OptimizerName = "sgd" | "momentum" | "adagrad" | "adadelta" | "adam" | "adamax" | "rmsprop" | "centered";

export const optimizers: Readonly<Record<OptimizerName, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  adagrad: () => tf.train.adagrad(0.1),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01),
  // tfjs 4.22 subtracts epsilon under the root where it should add it: with a positive one, a weight whose gradient is 0
  // becomes NaN, and a NaN equals every other.
  centered: () => tf.train.rmsprop(0.01, 0.9, 0.5, -1e-7, true),
};

/** Dense layers with dropout and batch normalization; layer names are fixed, so that equal models have equal files. */
export function createModel(optimizer: OptimizerName = "adam"): tf.LayersModel {
  const model = tf.sequential({
    name: "blobs",
    layers: [
      tf.layers.dense({ name: "hidden", units: 6, activation: "relu", inputShape: [featureCount] }),
      tf.layers.batchNormalization({ name: "norm" }),
      tf.layers.dropout({ name: "drop", rate: 0.25 }),
      tf.layers.dense({ name: "out", units: classes.length, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer: optimizers[optimizer](), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  return model;
}

/** All of a split as tensors for `model.fit`. */
export async function toTensors(split: Split): Promise<{ readonly x: tf.Tensor; readonly y: tf.Tensor }> {
  const { inputs, labels, rowCount } = await split.read(0, split.rowCount);
  const x = inputs["x"] ?? { data: new Float32Array(), shape: [] };
  return { x: tf.tensor(x.data, [...x.shape]), y: tf.tensor(labels.data, [rowCount, 1], "float32") };
}

/** All weights of a model, one after the other. */
export function readWeights(model: tf.LayersModel): readonly number[] {
  return model.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
}

/** What a checkpointer makes of a snapshot: arrays of its own. */
export async function takeCopy(state: TrainingState): Promise<StateSnapshot> {
  const { weights, optimizer, ...rest } = await state.snapshot();
  if (optimizer === undefined) return { ...rest, weights: copyArrays(weights) };
  const { slots, scalars } = optimizer;
  return {
    ...rest,
    weights: copyArrays(weights),
    optimizer: { ...optimizer, slots: copyArrays(slots), scalars: copyArrays(scalars) },
  };
}

function copyArrays<Item extends NamedArray>(arrays: readonly Item[]): readonly Item[] {
  return arrays.map((array) => Object.assign({}, array, { data: array.data.slice() }));
}

/** Every file of a run but its clock and what begins with a dot, by path, as text that shows where two runs differ. */
export async function readRunFiles(run: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(run, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(run, join(entry.parentPath, entry.name)))
    .filter((path) => path !== "timings.jsonl" && !path.split("/").some((part) => part.startsWith(".")))
    .toSorted();
  return Object.fromEntries(
    await Promise.all(
      paths.map(async (path) => {
        const bytes = await readFile(join(run, path));
        return [path, path.endsWith(".bin") ? bytes.toString("hex") : bytes.toString("utf8")] as const;
      }),
    ),
  );
}

/** Disposes of models with their optimizers, which a model made elsewhere leaves alone. */
export function disposeModels(...models: readonly tf.LayersModel[]): void {
  for (const model of models) {
    (model.optimizer as tf.Optimizer | undefined)?.dispose();
    model.dispose();
  }
}
