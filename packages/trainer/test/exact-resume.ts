import { join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import { expect } from "vitest";

import { everySteps, loadCheckpointModel, train, type TrainOptions } from "../src/index.js";
import { disposeModels, readRunFiles, readWeights } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

/** 12 updates of 50 rows in batches of 16, saved and measured in different rhythms. */
export const schedule: Omit<TrainOptions, "run" | "model" | "data"> = {
  name: "exact",
  epochs: 3,
  batchSize: 16,
  measureEverySteps: 3,
  save: everySteps(4),
  seed: 7,
};

/** Within an epoch and at the ends of two, at steps that are saved, measured, both and neither. */
const stops = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11];

/**
 * Trains twice without a stop, and once for each of {@link stops} with one, and expects the same files of all, byte for
 * byte; on the current backend.
 */
export async function expectExactResume(trained: Pick<TrainOptions, "model" | "data">): Promise<void> {
  const folder = await makeTestFolder();
  const options = { ...schedule, ...trained };
  const trainWhole = async (name: string): Promise<Readonly<Record<string, string>>> => {
    await train({ ...options, run: join(folder, name) });
    return readRunFiles(join(folder, name));
  };
  const whole = await trainWhole("whole");
  expect(Object.keys(whole).length).toBeGreaterThan(10);
  // Broken weights would all be equal too.
  expect((await readFinalWeights(join(folder, "whole"))).every(Number.isFinite)).toBe(true);
  expect(await trainWhole("again")).toEqual(whole);
  for (const stop of stops) {
    const run = join(folder, `stopped-${stop}`);
    const controller = new AbortController();
    const onProgress: TrainOptions["onProgress"] = ({ kind, step }) => {
      if (kind === "step" && step === stop) controller.abort();
    };
    await train({ ...options, run, signal: controller.signal, onProgress });
    expect(await train({ ...options, run, isResuming: true })).toMatchObject({ resumedFrom: stop, step: 12 });
    expect(await readRunFiles(run), `stopped after step ${stop}`).toEqual(whole);
    expect((await verifyRun(run)).problems).toEqual([]);
  }
}

/** The weights at the end of a run of {@link schedule}, one after the other. */
export async function readFinalWeights(run: string): Promise<readonly number[]> {
  const model = await loadCheckpointModel(join(run, "checkpoints", "step-00000012"));
  const weights = readWeights(model);
  disposeModels(model);
  return weights;
}
