import { everySteps, keepLatest, onImprovement, anyOf, train } from "../src/index.js";
import { createModel, data } from "./fixture.js";

/** Trains in a process of its own and says when each step is done: `train-child.ts <run> <step to hold at>`. */
const [run = "", holdAt = ""] = process.argv.slice(2);

await train({
  run,
  name: "blobs",
  model: () => createModel("adam"),
  data,
  epochs: 6,
  batchSize: 16,
  measureEverySteps: 2,
  save: anyOf(everySteps(4), onImprovement({ monitor: "val_loss" })),
  keep: [keepLatest(3)],
  seed: 7,
  isResuming: true,
  onProgress: ({ kind, step }) => {
    if (kind === "step") process.stdout.write(`step ${step}\n`);
    // Held here, mid-training with the lock taken, until the parent kills the process.
    if (kind === "step" && step === Number(holdAt)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
