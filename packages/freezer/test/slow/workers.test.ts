import { rm } from "node:fs/promises";
import { join } from "node:path";

import { checkpointPath, formatStepName, isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { type FreezeProgress, freezeRun, type WorkerOptions } from "../../src/index.js";
import { createTemporaryFolder, damageFile, describeFolder, writeCheckpoint, writeRun } from "../folders.js";
import { ScaleLayer, setRandomWeights } from "../models.js";

const module = new URL("../set-up-worker.ts", import.meta.url).href;
const prepared = new SharedArrayBuffer(4);
const workers: WorkerOptions = { module, count: 2, data: prepared };

beforeAll(async () => {
  await tf.setBackend("cpu");
  tf.serialization.registerClass(ScaleLayer);
});

/** A run of checkpoints of a model with a layer that has to be registered. */
async function createRun(count: number): Promise<string> {
  const run = join(await createTemporaryFolder(), "run");
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [64], units: 256, activation: "relu", name: "hidden" }),
      new ScaleLayer({ name: "scale" }),
      tf.layers.dense({ units: 256, name: "second" }),
    ],
  });
  await writeRun(run, []);
  for (let index = 1; index <= count; index++) {
    setRandomWeights(model, index);
    await writeCheckpoint(checkpointPath(run, index), model, index);
  }
  return run;
}

describe("freezeRun with workers", () => {
  it("gives the bytes, the results and the progress that one thread gives", async () => {
    const count = 6;
    const run = await createRun(count);
    const freezeWith = async (
      options?: WorkerOptions,
    ): Promise<{ events: FreezeProgress[]; paths: string[]; files: Record<string, string> }> => {
      const events: FreezeProgress[] = [];
      const results = await freezeRun({
        run,
        onProgress: (event) => events.push(event),
        ...(options === undefined ? {} : { workers: options }),
      });
      const files = await describeFolder(join(run, "artifacts"));
      await rm(join(run, "artifacts"), { recursive: true });
      return { events, paths: results.map(({ path }) => path), files };
    };
    const alone = await freezeWith();
    const together = await freezeWith(workers);
    expect(new Int32Array(prepared)[0]).toBe(2);
    expect(together).toEqual(alone);
    expect(alone.paths).toHaveLength(count);
  });

  it("names the checkpoint that one of them fails at, and ends", async () => {
    const run = await createRun(6);
    await damageFile(join(checkpointPath(run, 5), "weights.bin"));
    const failed: FreezeProgress[] = [];
    const error = await freezeRun({
      run,
      workers,
      formats: ["onnx"],
      onProgress: (event) => {
        if (event.kind === "failed") failed.push(event);
      },
    }).catch((error: unknown) => error);

    expect(isCkptError(error, "DIGEST_MISMATCH") && error.details.path).toBe(
      join(checkpointPath(run, 5), "weights.bin"),
    );
    expect(failed).toMatchObject([{ source: checkpointPath(run, 5) }]);
    const names = Object.keys(await describeFolder(join(run, "artifacts")));
    expect(names.filter((name) => name.includes(".staging"))).toEqual([]);
    expect(names).toContain(`${formatStepName(4)}/artifact.json`);
  });

  it("ends when progress throws, after the jobs that are being done, and leaves nothing half done", async () => {
    const run = await createRun(6);
    const stop = new Error("stopped by the caller");
    const freezing = freezeRun({
      run,
      workers,
      formats: ["graph-def"],
      onProgress: (event) => {
        if (event.kind === "artifact" && event.index === 3) throw stop;
      },
    });
    await expect(freezing).rejects.toBe(stop);
    const names = Object.keys(await describeFolder(join(run, "artifacts")));
    expect(names).toContain(`${formatStepName(3)}/artifact.json`);
    expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("fails when they cannot be prepared", async () => {
    const run = await createRun(3);
    const error = await freezeRun({ run, workers: { ...workers, data: "fail" } }).catch((error: unknown) => error);
    expect((error as Error).message).toBe(`${module}: this module does not work`);
  });

  it("does without workers where all is there already", async () => {
    const run = await createRun(3);
    await freezeRun({ run, formats: ["graph-def"] });
    const again = await freezeRun({ run, workers: { ...workers, data: "fail" }, formats: ["graph-def"] });
    expect(again.map(({ isReused }) => isReused)).toEqual([true, true, true]);
  });

  it("starts none by itself for a few small checkpoints", async () => {
    const run = await createRun(2);
    const results = await freezeRun({ run, workers: { module, data: "fail" }, formats: ["graph-def"] });
    expect(results).toHaveLength(2);
  });
});
