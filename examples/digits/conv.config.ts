import { defineConfig } from "@ckpt/cli";
import { keepBest, onImprovement } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

import { digits } from "./data.js";
import { evaluation } from "./evaluation.js";

export default defineConfig({
  name: "conv",
  seed: 7,
  data: digits([8, 8, 1]),
  model: () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 16, kernelSize: 3, padding: "same", useBias: false }),
        tf.layers.batchNormalization(),
        tf.layers.reLU(),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.conv2d({ filters: 32, kernelSize: 3, padding: "same", activation: "relu" }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dropout({ rate: 0.25 }),
        tf.layers.dense({ units: 10, activation: "softmax" }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.003), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    return model;
  },
  train: {
    epochs: 12,
    batchSize: 32,
    measureEverySteps: 34,
    save: onImprovement({ monitor: "val_loss" }),
    keep: [keepBest(5, { monitor: "val_loss" })],
  },
  evaluate: evaluation,
});
