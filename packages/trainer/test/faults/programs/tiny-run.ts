import { digestBytes } from "@ckpt/manifest";

import { atSteps, keepBest, keepLatest, type TrainOptions } from "../../../src/index.js";
import { createModel, createSplit } from "../../fixture.js";

const data: TrainOptions["data"] = {
  train: createSplit("train", "train", 24),
  validation: createSplit("validation", "validation", 6),
};

/** Steps of the tiny run at which a checkpoint is committed. */
export const savedSteps: readonly number[] = [2, 4, 8];

/** Steps whose checkpoints stay: the best and the latest. The other one goes when the last is committed. */
export const keptSteps: readonly number[] = [2, 8];

/**
 * The options of a run as small as one can be with everything in it: three saves, one of them pruned, a measurement
 * between two of them, an epoch's end, dropout and batch normalization.
 */
export function tinyRun(run: string): TrainOptions {
  return {
    run,
    name: "tiny",
    configDigest: digestBytes("tiny"),
    model: () => createModel("adam"),
    data,
    epochs: 2,
    batchSize: 6,
    measureEverySteps: 2,
    save: atSteps(...savedSteps),
    keep: [keepLatest(1), keepBest(1, { monitor: "val_loss" })],
    seed: 7,
    isResuming: true,
  };
}
