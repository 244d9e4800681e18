import { type Batch, digestBytes, type Split, type SplitRole } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import { createRandom } from "../../src/random.js";
import { classes, type OptimizerName, optimizers } from "../fixture.js";

const imageShape = [16, 16, 1] as const;
const pixelCount = 16 * 16;

/** Noise with a brighter band of rows for each class, the same for the same name and size. */
function createImageSplit(name: string, role: SplitRole, rowCount: number): Split {
  const random = createRandom(1, name);
  const labels = Int32Array.from({ length: rowCount }, (_, row) => row % classes.length);
  const pixels = Float32Array.from({ length: rowCount * pixelCount }, (_, index) => {
    const band = Math.floor((index % pixelCount) / 96);
    return (band === labels[Math.floor(index / pixelCount)] ? 1 : 0) + random.next() - 0.5;
  });
  const take = (rows: readonly number[]): Batch => ({
    rowCount: rows.length,
    inputs: {
      image: {
        data: Float32Array.from(rows.flatMap((row) => [...pixels.subarray(row * pixelCount, (row + 1) * pixelCount)])),
        shape: [rows.length, ...imageShape],
      },
    },
    labels: { data: Int32Array.from(rows, (row) => labels[row] ?? 0), shape: [rows.length] },
  });
  return {
    name,
    role,
    rowCount,
    digest: digestBytes(Buffer.concat([Buffer.from(pixels.buffer), Buffer.from(labels.buffer)])),
    inputs: [{ name: "image", dtype: "float32", shape: [null, ...imageShape] }],
    classes,
    read: async (start, end) => take(Array.from({ length: end - start }, (_, index) => start + index)),
    gather: async (indices) => take(Array.from(indices)),
  };
}

/** 50 rows, as many as the points of the fixture have. */
export const images: { readonly train: Split; readonly validation: Split } = {
  train: createImageSplit("train-images", "train", 50),
  validation: createImageSplit("validation-images", "validation", 30),
};

/** Convolutions of three kinds with pooling, dropout and batch normalization. */
export function createConvolutions(optimizer: OptimizerName): tf.LayersModel {
  const model = tf.sequential({
    name: "images",
    layers: [
      tf.layers.conv2d({ name: "conv", filters: 8, kernelSize: 3, activation: "relu", inputShape: [...imageShape] }),
      tf.layers.batchNormalization({ name: "norm" }),
      tf.layers.maxPooling2d({ name: "max", poolSize: 2 }),
      tf.layers.separableConv2d({ name: "separable", filters: 16, kernelSize: 3, activation: "relu" }),
      tf.layers.conv2dTranspose({ name: "transpose", filters: 8, kernelSize: 3, activation: "relu" }),
      tf.layers.averagePooling2d({ name: "average", poolSize: 2 }),
      tf.layers.flatten({ name: "flat" }),
      tf.layers.dropout({ name: "drop", rate: 0.25 }),
      tf.layers.dense({ name: "out", units: classes.length, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer: optimizers[optimizer](), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  return model;
}
