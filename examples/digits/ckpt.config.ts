import { defineConfig } from "@ckpt/cli";
import { keepBest, keepLatest, onImprovement } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

import { digits } from "./data.js";
import { evaluation } from "./evaluation.js";

export default defineConfig({
  name: "dense",
  seed: 7,
  data: digits([64]),
  model: () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [64], units: 64, activation: "relu" }),
        tf.layers.dropout({ rate: 0.2 }),
        tf.layers.dense({ units: 10, activation: "softmax" }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.003), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    return model;
  },
  train: {
    epochs: 60,
    batchSize: 32,
    measureEverySteps: 50,
    save: onImprovement({ monitor: "val_loss" }),
    keep: [keepBest(8, { monitor: "val_loss" }), keepLatest(1)],
  },
  evaluate: evaluation,
});
