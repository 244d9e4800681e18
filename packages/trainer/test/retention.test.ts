import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import {
  createCheckpointer,
  everySteps,
  keepBest,
  keepEverySteps,
  keepLatest,
  listCheckpoints,
  openRun,
  type RetentionPolicy,
  train,
  type TrainOptions,
  type TrainProgress,
} from "../src/index.js";
import { createModel, data, readRunFiles } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

/** In another process, beside the training one. */
async function pinElsewhere(call: "pinCheckpoint" | "unpinCheckpoint", run: string, step: number): Promise<void> {
  const loader = new URL("../../../scripts/register-typescript.mjs", import.meta.url).href;
  const code = `import { ${call} } from "@ckpt/manifest"; await ${call}(${JSON.stringify(run)}, ${step});`;
  const args = ["--conditions=@ckpt/source", "--import", loader, "--input-type=module", "--eval", code];
  await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, "..") });
}

const stepsOf = async (path: string): Promise<readonly number[]> =>
  (await listCheckpoints(path)).checkpoints.map(({ step }) => step);

describe("a pin that another process sets while training goes on", () => {
  it("keeps the checkpoint besides the others, until it is taken away", async () => {
    const path = join(await makeTestFolder(), "run");
    const checkpointer = await createCheckpointer({
      run: await openRun({ path }),
      model: createModel("sgd"),
      save: everySteps(1),
      keep: [keepLatest(2)],
    });
    const stepTo = async (last: number): Promise<void> => {
      while (checkpointer.position.step < last) await checkpointer.step();
      await checkpointer.drain();
      expect(await stepsOf(path)).toEqual(checkpointer.checkpoints.map(({ step }) => step));
    };
    await stepTo(2);
    await pinElsewhere("pinCheckpoint", path, 1);
    await stepTo(6);
    expect(await stepsOf(path)).toEqual([1, 5, 6]);
    await pinElsewhere("unpinCheckpoint", path, 1);
    await stepTo(7);
    expect(await stepsOf(path)).toEqual([6, 7]);
    await pinElsewhere("pinCheckpoint", path, 6);
    await checkpointer.finish();
    expect(await stepsOf(path)).toEqual([6, 7]);
  });
});

describe("retention after a resume", () => {
  const rules: readonly (readonly [string, readonly RetentionPolicy[], number])[] = [
    ["maxToKeep alone", [], 2],
    ["the best", [keepBest(2, { monitor: "val_loss" })], 3],
    ["every few steps", [keepEverySteps(6)], 2],
    ["the best and every few steps", [keepBest(2, { monitor: "val_loss" }), keepEverySteps(4)], 3],
    ["the latest", [keepLatest(1)], 150],
  ];

  it.each(rules)("leaves what an uninterrupted run has: %s", async (_name, keep, maxToKeep) => {
    const folder = await makeTestFolder();
    const base: Omit<TrainOptions, "run"> = {
      name: "blobs",
      model: () => createModel("sgd"),
      data,
      epochs: 4,
      batchSize: 16,
      measureEverySteps: 2,
      save: everySteps(2),
      keep,
      maxToKeep,
      seed: 7,
    };
    await train({ ...base, run: join(folder, "whole") });
    const whole = await readRunFiles(join(folder, "whole"));
    const run = join(folder, "parts");
    for (const stop of [3, 4, 9, undefined]) {
      const controller = new AbortController();
      let resumedFrom: number | undefined;
      const onProgress = ({ kind, step }: TrainProgress): void => {
        if (kind === "start") resumedFrom = step;
        if (kind === "step" && step === stop) controller.abort();
      };
      await train({ ...base, run, isResuming: true, signal: controller.signal, onProgress });
      const left = await stepsOf(run);
      // What it was resumed from, and what it stopped at, are there besides.
      if (stop !== undefined && resumedFrom) expect(left).toContain(resumedFrom);
      expect(left.length).toBeLessThanOrEqual(maxToKeep + (stop === undefined ? 0 : 2));
      expect((await verifyRun(run)).problems).toEqual([]);
    }
    expect(await readRunFiles(run)).toEqual(whole);
  });

  it("does not take a checkpoint up again that only the resume held back", async () => {
    const folder = await makeTestFolder();
    const losses = [8, 7, 6, 5, 4, 3, 2, 1];
    const trainFrom = async (path: string, resumeAt?: number): Promise<readonly number[]> => {
      const open = async (): ReturnType<typeof createCheckpointer> =>
        createCheckpointer({
          run: await openRun({ path, name: "same", isResuming: true }),
          model: createModel("sgd"),
          save: everySteps(1),
          keep: [{ description: "step 2 and the newest", monitors: [], select: selectTwoAndNewest }],
          maxToKeep: 3,
        });
      let checkpointer = await open();
      for (const [index, val_loss] of losses.entries()) {
        if (index === resumeAt) {
          await checkpointer.close();
          checkpointer = await open();
        }
        await checkpointer.step({ val_loss });
      }
      await checkpointer.finish();
      return stepsOf(path);
    };
    const whole = await trainFrom(join(folder, "whole"));
    expect(await trainFrom(join(folder, "parts"), 2)).toEqual(whole);
  });
});

/** Lets go of step 2 at 4 and 5, and would take it back afterwards. */
const selectTwoAndNewest: RetentionPolicy["select"] = (checkpoints) => {
  const steps = checkpoints.map(({ step }) => step);
  const newest = steps.at(-1) ?? 0;
  return newest === 4 || newest === 5 ? [newest] : [2, newest];
};
