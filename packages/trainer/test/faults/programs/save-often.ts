import { readdirSync } from "node:fs";

import * as tf from "@tensorflow/tfjs";

import {
  createCheckpointer,
  createSeededRandom,
  everySteps,
  keepBest,
  keepLatest,
  openRun,
} from "../../../src/index.js";
import { data, toTensors } from "../../fixture.js";

/** What a process holds. */
export interface Usage {
  readonly saves: number;
  readonly tensors: number;
  readonly rssBytes: number;
  readonly openFiles: number;
}

/**
 * Arguments: run, steps, each of which is saved, steps between two looks at what the process holds. Prints each as a line
 * of JSON. Needs `--expose-gc`.
 */
const [path = "", steps = "", lookEvery = ""] = process.argv.slice(2);
const run = await openRun({ path });
// 192 KB with Adam's slots: held by one save in ten, it would show.
const model = tf.sequential({
  layers: [
    tf.layers.dense({ units: 2000, activation: "relu", inputShape: [4] }),
    tf.layers.dense({ units: 3, activation: "softmax" }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.01), loss: "sparseCategoricalCrossentropy" });
const random = createSeededRandom(1);
const { x, y } = await toTensors(data.train);
await model.trainOnBatch(x, y);
const checkpointer = await createCheckpointer({
  run,
  model,
  random,
  save: everySteps(1),
  keep: [keepLatest(3), keepBest(2, { monitor: "val_loss", mode: "min" })],
});
for (let step = 1; step <= Number(steps); step++) {
  await checkpointer.step({ val_loss: 1 + Math.abs(Math.sin(step)) });
  if (step % Number(lookEvery) !== 0) continue;
  await checkpointer.drain();
  globalThis.gc?.();
  const usage: Usage = {
    saves: step,
    tensors: tf.memory().numTensors,
    rssBytes: process.memoryUsage.rss(),
    openFiles: readdirSync("/proc/self/fd").length,
  };
  console.log(JSON.stringify(usage));
}
await checkpointer.finish("completed");
