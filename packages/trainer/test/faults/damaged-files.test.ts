import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { isCkptError, verifyRun } from "@ckpt/manifest";
import { beforeAll, describe, expect, it } from "vitest";

import {
  createCheckpointer,
  earlyStopping,
  everySteps,
  keepBest,
  openRun,
  type OpenRunOptions,
  type Run,
  train,
} from "../../src/index.js";
import { createModel, readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";
import { copyRun, damages, flipByte, readTree, trainUntil } from "./damaged-run.js";
import { tinyRun } from "./programs/tiny-run.js";
import { useSharedFolder } from "./shared-folder.js";

const ownFiles = ["checkpoint.json", "weights.bin", "training-state.json", "training-state.bin"];
const kinds = Object.keys(damages);
const place = useSharedFolder();

/** A run that died after step 5, with the checkpoints of steps 2 and 4; and what it would have become. */
let expected: Readonly<Record<string, string>> = {};
const original = (): string => join(place(), "died");

beforeAll(async () => {
  await trainUntil(original(), 5);
  await train(tinyRun(join(place(), "whole")));
  expected = await readRunFiles(join(place(), "whole"));
});

async function makeDamaged(file: string, damage: string): Promise<string> {
  const run = join(await makeTestFolder(), "run");
  copyRun(original(), run);
  await damages[damage]?.(join(run, file));
  return run;
}

/** As `train` opens it. */
async function open(run: string): Promise<Run> {
  const { data: _data, ...options } = tinyRun(run);
  const { data } = JSON.parse(await readFile(join(original(), "run.json"), "utf8")) as OpenRunOptions;
  return openRun({ ...options, path: run, data: data ?? [] });
}

function without(
  tree: Readonly<Record<string, string>>,
  ...parts: readonly string[]
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !parts.some((part) => path.includes(part))));
}

describe("a damaged file of a checkpoint", () => {
  it.each(ownFiles.flatMap((file) => kinds.map((kind) => [file, kind] as const)))(
    "%s, newest: %s, is passed over for the one before",
    async (file, damage) => {
      const run = await makeDamaged(`checkpoints/step-00000004/${file}`, damage);
      const before = await readTree(run);
      const opened = await open(run);
      await opened.close();
      expect(opened.resumePoint?.checkpoint.step).toBe(2);
      expect(opened.skipped.map(({ path }) => path)).toEqual([join(run, "checkpoints/step-00000004")]);
      expect(opened.skipped[0]?.reason.message).toContain(`step-00000004/${file}`);
      // Nothing is deleted: it is put aside so that step 4 can be saved again.
      const aside = Object.entries(before).map(([path, digest]) => [
        path.replace("step-00000004", ".step-00000004.damaged"),
        digest,
      ]);
      const records = ["history.jsonl", "timings.jsonl"];
      expect(without(await readTree(run), ...records)).toEqual(
        without(Object.fromEntries(aside) as Readonly<Record<string, string>>, ...records),
      );
    },
  );

  it.each(ownFiles.flatMap((file) => kinds.map((kind) => [file, kind] as const)))(
    "%s, an older one: %s, keeps nothing from going on at the newest, and is left alone",
    async (file, damage) => {
      const run = await makeDamaged(`checkpoints/step-00000002/${file}`, damage);
      const before = await readTree(run);
      const opened = await open(run);
      await opened.close();
      expect(opened.resumePoint?.checkpoint.step).toBe(4);
      expect(without(await readTree(run), "jsonl")).toEqual(without(before, "jsonl"));
    },
  );

  it.each(kinds)("is made again by a resume, which ends with the bytes of an undamaged run: %s", async (damage) => {
    const run = await makeDamaged("checkpoints/step-00000004/weights.bin", damage);
    const skipped: string[] = [];
    const outcome = await train({
      ...tinyRun(run),
      onProgress: (progress) => {
        if (progress.kind === "start") skipped.push(...progress.skipped.map(({ reason }) => reason.message));
      },
    });
    expect(outcome).toMatchObject({ resumedFrom: 2, reason: "completed" });
    expect(skipped).toEqual([expect.stringContaining("step-00000004/weights.bin") as string]);
    expect(await readRunFiles(run)).toEqual(expected);
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it.each(kinds)(
    "model.json, which all of them share: %s, leaves none; training begins anew and says so",
    async (damage) => {
      const run = await makeDamaged("checkpoints/step-00000004/model.json", damage);
      const outcome = await train(tinyRun(run));
      expect(outcome.resumedFrom).toBeUndefined();
      expect(outcome.skipped.map(({ reason }) => reason.message)).toEqual(
        [4, 2].map((step) => expect.stringContaining(`step-0000000${step}/model.json`) as string),
      );
      expect(await readRunFiles(run)).toEqual(expected);
      // No new save took the damaged file over.
      expect((await verifyRun(run)).problems).toEqual([]);
    },
  );

  it.each(kinds)("%s in the best one gives that place to the best of the others, and says so", async (damage) => {
    const run = await makeDamaged("checkpoints/step-00000002/weights.bin", damage);
    const opened = await open(run);
    const model = createModel("adam");
    const monitor = { monitor: "val_loss" };
    const checkpointer = await createCheckpointer({
      run: opened,
      model,
      save: everySteps(1),
      keep: [keepBest(1, monitor)],
    });
    expect(checkpointer.best()?.step).toBe(4);
    await checkpointer.close();
    model.dispose();

    const outcome = await train({
      ...tinyRun(run),
      stop: earlyStopping({ ...monitor, patience: 9, restoreBest: true }),
    });
    expect(outcome).toMatchObject({ resumedFrom: 4, reason: "completed" });
    expect(outcome.skipped.map(({ reason }) => reason.message)).toEqual([
      expect.stringContaining("step-00000002/weights.bin") as string,
    ]);
    expect([4, 8]).toContain(outcome.restoredStep);
    expect(outcome.checkpoints.map(({ step }) => step)).toContain(outcome.restoredStep);
    // It is neither deleted nor mended.
    const { problems } = await verifyRun(run);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("step-00000002/weights.bin") as string,
    ]);
  });

  it("is not linked by the next save of the process that goes on", async () => {
    const path = join(await makeTestFolder(), "run");
    const run = await openRun({ path });
    const model = createModel("sgd");
    const checkpointer = await createCheckpointer({ run, model, save: everySteps(1) });
    const modelAt = (step: number): string => join(path, `checkpoints/step-0000000${step}/model.json`);
    for (let step = 1; step <= 2; step++) await checkpointer.step();
    await checkpointer.drain();
    expect((await stat(modelAt(1))).ino).toBe((await stat(modelAt(2))).ino);
    await flipByte(modelAt(2));
    for (let step = 3; step <= 4; step++) await checkpointer.step();
    await checkpointer.close();
    const inodes = await Promise.all([1, 2, 3, 4].map(async (step) => (await stat(modelAt(step))).ino));
    expect(new Set(inodes.slice(0, 2)).size).toBe(1);
    expect(new Set(inodes.slice(2)).size).toBe(1);
    expect(new Set(inodes).size).toBe(2);
    const { problems } = await verifyRun(path);
    expect(problems.map(({ message }) => message)).toEqual(
      [1, 2].map((step) => expect.stringContaining(modelAt(step)) as string),
    );
    model.dispose();
  });
});

describe("a damaged file of a run", () => {
  it.each(["run.json", "history.jsonl"].flatMap((file) => kinds.map((kind) => [file, kind] as const)))(
    "%s: %s, is an error that names it, and everything is left as it is",
    async (file, damage) => {
      const run = await makeDamaged(file, damage);
      const before = await readTree(run);
      const error: unknown = await open(run).then(
        (opened) => opened.close(),
        (reason: unknown) => reason,
      );
      if (!isCkptError(error, "MANIFEST_INVALID")) throw new Error(`found ${String(error)}`);
      expect(error.message).toContain(join(run, file));
      expect(await readTree(run)).toEqual(before);
    },
  );

  it.each(kinds)("timings.jsonl: %s, changes nothing of what is trained", async (damage) => {
    const run = await makeDamaged("timings.jsonl", damage);
    expect(await train(tinyRun(run))).toMatchObject({ resumedFrom: 4 });
    expect(await readRunFiles(run)).toEqual(expected);
  });
});
