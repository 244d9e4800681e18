import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { selectBackend } from "@ckpt/backend";
import { checkpointPath, verifyRun } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Checkpointer,
  type CheckpointerOptions,
  createCheckpointer,
  everySteps,
  keepLatest,
  listCheckpoints,
  onException,
  onImprovement,
  openRun,
  readCheckpoint,
  type SaveEvent,
} from "../src/index.js";
import { createModel, data, disposeModels, readWeights, toTensors } from "./fixture.js";
import { createGatedFileSystem, type GatedFileSystem } from "./gated-file-system.js";
import { makeTestFolder } from "./test-folder.js";

interface Bench extends GatedFileSystem {
  readonly path: string;
  readonly model: tf.LayersModel;
  readonly checkpointer: Checkpointer;
}

async function createBench(isOpen: boolean, options: Partial<CheckpointerOptions> = {}): Promise<Bench> {
  const path = join(await makeTestFolder(), "run");
  const gated = createGatedFileSystem(isOpen);
  const run = await openRun({ path, fileSystem: gated.fileSystem });
  const model = createModel();
  return {
    path,
    model,
    ...gated,
    checkpointer: await createCheckpointer({ run, model, save: everySteps(1), ...options }),
  };
}

const stepsOf = async (path: string): Promise<readonly number[]> =>
  (await listCheckpoints(path)).checkpoints.map(({ step }) => step);

/** Opens the run again and reads where it goes on. */
async function readResumed(path: string): Promise<{ readonly step: number; readonly measured: readonly number[] }> {
  const run = await openRun({ path, isResuming: true });
  await run.close();
  return { step: run.resumePoint?.checkpoint.step ?? 0, measured: run.history.map(({ step }) => step) };
}

describe.each(["cpu", "wasm"] as const)("a save on the %s backend", (backend) => {
  beforeAll(() => selectBackend(backend));
  // The files of a worker share one TensorFlow.js.
  afterAll(() => tf.setBackend("cpu"));

  it("goes on after the step, and holds the values of the step whatever training does meanwhile", async () => {
    const path = join(await makeTestFolder(), "run");
    const run = await openRun({ path });
    const model = createModel("adam");
    const checkpointer = await createCheckpointer({ run, model, save: everySteps(1) });
    const { x, y } = await toTensors(data.train);
    for (let step = 1; step <= 3; step++) {
      await model.trainOnBatch(x, y);
      const expected = readWeights(model);
      await checkpointer.step();
      expect(existsSync(checkpointPath(path, step))).toBe(false);
      await model.trainOnBatch(x, y);
      expect(readWeights(model)).not.toEqual(expected);
      await checkpointer.drain();
      const { state } = await run.readContent(await readCheckpoint(checkpointPath(path, step)));
      expect(state.weights.flatMap((weight) => Array.from(weight.data))).toEqual(expected);
    }
    await checkpointer.close();
    tf.dispose([x, y]);
    disposeModels(model);
  });
});

describe("what is told of a save", () => {
  it("has the checkpoint, its size, what it displaced and how long it took", async () => {
    const events: SaveEvent[] = [];
    const path = join(await makeTestFolder(), "run");
    const checkpointer = await createCheckpointer({
      run: await openRun({ path }),
      model: createModel(),
      save: everySteps(2),
      keep: [keepLatest(1)],
      onSave: (event) => events.push(event),
    });
    for (let step = 1; step <= 5; step++) await checkpointer.step();
    await checkpointer.finish();
    expect(events.map(({ checkpoint, removed }) => [checkpoint.step, removed])).toEqual([
      [2, []],
      [4, [2]],
    ]);
    for (const { blockedMs, totalMs, sizeBytes, checkpoint } of events) {
      expect(blockedMs).toBeGreaterThan(0);
      expect(totalMs).toBeGreaterThan(blockedMs);
      expect(sizeBytes).toBe(checkpoint.manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0));
    }
    const lines = (await readFile(join(path, "timings.jsonl"), "utf8")).trim().split("\n");
    const timings = lines.map((line) => JSON.parse(line) as Record<string, number | string>);
    expect(timings.map(({ action, subject }) => [action, subject])).toEqual([
      ["save", "step 2"],
      ["save", "step 4"],
    ]);
    for (const [index, { blockedMs, durationMs }] of timings.entries()) {
      expect([blockedMs, durationMs]).toEqual([events[index]?.blockedMs, events[index]?.totalMs]);
    }
    expect(Number(timings[0]?.["trainedMs"])).toBeGreaterThan(0);
    expect(Number(timings[1]?.["trainedMs"])).toBeGreaterThan(Number(timings[0]?.["trainedMs"]));
  });
});

describe("a save that fails in the background", () => {
  const calls: readonly (readonly [string, (checkpointer: Checkpointer) => Promise<unknown>])[] = [
    ["the next step", (checkpointer) => checkpointer.step()],
    ["drain", (checkpointer) => checkpointer.drain()],
    ["finish", (checkpointer) => checkpointer.finish()],
    ["close", (checkpointer) => checkpointer.close()],
  ];
  it.each(calls)("is reported by %s, once", async (name, call) => {
    const { checkpointer, failNext, path } = await createBench(true, { save: everySteps(2) });
    await checkpointer.step();
    failNext("writeFile", "training-state.bin");
    expect(await checkpointer.step()).toEqual({ step: 2, isSaving: true });
    // Long enough for the next step, which waits for nothing, to see it.
    await sleep(50);
    await expect(call(checkpointer)).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    if (name !== "close") await checkpointer.step();
    await checkpointer.close();
    expect(checkpointer.checkpoints.map(({ step }) => step)).toEqual(await stepsOf(path));
    expect((await verifyRun(path)).problems).toEqual([]);
    expect(existsSync(join(path, ".lock"))).toBe(false);
  });

  it("does not count as lost when only what comes after the commit failed", async () => {
    const { checkpointer, failNext, path } = await createBench(true, {
      save: onImprovement({ monitor: "val_loss" }),
      keep: [keepLatest(1)],
    });
    await checkpointer.step({ val_loss: 3 });
    await checkpointer.drain();
    failNext("appendFile", "timings.jsonl");
    await checkpointer.step({ val_loss: 2 });
    await expect(checkpointer.drain()).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    failNext("rename", "step-00000002");
    await checkpointer.step({ val_loss: 1 });
    await expect(checkpointer.drain()).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    expect(checkpointer.checkpoints.map(({ step }) => step)).toEqual([2, 3]);
    expect(await checkpointer.step({ val_loss: 1.5 })).toEqual({ step: 4, isSaving: false });
    // What could not be removed goes with the next save.
    await checkpointer.step({ val_loss: 0.5 });
    await checkpointer.finish("stopped");
    expect(await stepsOf(path)).toEqual([5]);
    expect((await verifyRun(path)).problems).toEqual([]);
  });

  it("leaves a history that the next checkpoint can be resumed with, when a line was lost", async () => {
    const { checkpointer, failNext, path } = await createBench(true, { save: everySteps(3) });
    await checkpointer.step({ loss: 3 });
    failNext("appendFile", "history.jsonl");
    await checkpointer.step({ loss: 2 });
    await sleep(50);
    await expect(checkpointer.step({ loss: 1 })).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    for (let step = 4; step <= 6; step++) await checkpointer.step({ loss: 1 });
    await checkpointer.close();
    expect((await verifyRun(path)).problems).toEqual([]);
    expect(await readResumed(path)).toEqual({ step: 6, measured: [1, 2, 3, 4, 5, 6] });
  });

  it("is no checkpoint while the history cannot be written", async () => {
    const { checkpointer, failNext, path } = await createBench(true, { save: everySteps(2) });
    await checkpointer.step();
    failNext("appendFile", "history.jsonl");
    failNext("writeFile", `.history.jsonl.staging-${process.pid}`);
    await checkpointer.step({ loss: 1 });
    await expect(checkpointer.drain()).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    expect(await stepsOf(path)).toEqual([]);
    await checkpointer.close().catch(() => undefined);
  });
});

describe("a checkpoint that somebody deleted by hand", () => {
  it("does not keep later ones from being saved", async () => {
    const { checkpointer, path } = await createBench(true, { keep: [keepLatest(2)] });
    for (let step = 1; step <= 2; step++) await checkpointer.step();
    await checkpointer.drain();
    await rm(checkpointPath(path, 1), { recursive: true });
    for (let step = 3; step <= 4; step++) await checkpointer.step();
    await checkpointer.finish();
    expect(await stepsOf(path)).toEqual([3, 4]);
  });
});

describe("a save that is due while another is written", () => {
  it("is skipped", async () => {
    const { checkpointer, letThrough, path } = await createBench(false, { whenSaving: "skip" });
    const saving: boolean[] = [];
    for (let step = 1; step <= 3; step++) saving.push((await checkpointer.step()).isSaving);
    expect(saving).toEqual([true, false, false]);
    await letThrough();
    await checkpointer.drain();
    expect((await checkpointer.step()).isSaving).toBe(true);
    await letThrough();
    await checkpointer.close();
    expect(await stepsOf(path)).toEqual([1, 4]);
  });

  it("takes the place of one that waits, and holds its own values", async () => {
    const { checkpointer, letThrough, path, model } = await createBench(false, { whenSaving: "replace" });
    const expected: (readonly number[])[] = [];
    for (let step = 1; step <= 4; step++) {
      model.setWeights(model.getWeights().map((weight) => tf.fill(weight.shape, step)));
      expected.push(readWeights(model));
      expect((await checkpointer.step()).isSaving).toBe(true);
    }
    await letThrough();
    await letThrough();
    await checkpointer.close();
    expect(await stepsOf(path)).toEqual([1, 4]);
    for (const step of [1, 4]) {
      const bytes = await readFile(join(checkpointPath(path, step), "weights.bin"));
      const values = new Float32Array(Uint8Array.from(bytes).buffer);
      expect([...values].slice(0, expected[0]?.length)).toEqual(expected[step - 1]);
    }
  });

  it("waits for the best so far rather than replace it", async () => {
    const { checkpointer, letThrough, path } = await createBench(false, {
      whenSaving: "replace",
      keep: [keepLatest(3)],
      save: onImprovement({ monitor: "val_loss" }),
    });
    await checkpointer.step({ val_loss: 3 });
    await checkpointer.step({ val_loss: 2 });
    const third = checkpointer.step({ val_loss: 1 });
    await letThrough();
    expect(await third).toEqual({ step: 3, isSaving: true });
    await letThrough();
    await letThrough();
    await checkpointer.close();
    expect(await stepsOf(path)).toEqual([1, 2, 3]);
  });
});

describe("a checkpointer that was ended", () => {
  it("writes nothing any more, since the lock is gone", async () => {
    const { checkpointer, path } = await createBench(true, { save: onException() });
    await checkpointer.step({ loss: 1 });
    await checkpointer.finish();
    const before = await readFile(join(path, "run.json"), "utf8");
    await checkpointer.close(new Error("after the end"));
    await expect(checkpointer.step({ loss: 2 })).rejects.toThrow(/closed/);
    await expect(checkpointer.finish("stopped")).rejects.toThrow(/closed/);
    expect(await stepsOf(path)).toEqual([]);
    expect(await readFile(join(path, "run.json"), "utf8")).toBe(before);
  });

  it("can be closed twice, also while it closes", async () => {
    const { checkpointer, path } = await createBench(true);
    await checkpointer.step();
    await Promise.all([checkpointer.close(), checkpointer.close()]);
    await checkpointer.close();
    expect(await stepsOf(path)).toEqual([1]);
    expect((await readResumed(path)).step).toBe(1);
  });
});
