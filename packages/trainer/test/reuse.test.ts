import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { checkpointPath, verifyRun } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it, onTestFinished } from "vitest";

import {
  createCheckpointer,
  everySteps,
  exponentialDecay,
  listCheckpoints,
  openRun,
  train,
  type TrainOptions,
} from "../src/index.js";
import { createModel, data, disposeModels, readWeights, toTensors } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const modelInode = async (run: string, step: number): Promise<number> =>
  (await stat(join(checkpointPath(run, step), "model.json"))).ino;

const options = (run: string): TrainOptions => ({
  run,
  name: "blobs",
  model: () => createModel("adam"),
  data,
  epochs: 2,
  batchSize: 16,
  save: everySteps(2),
  seed: 7,
});

describe("the model.json of a run", () => {
  it("is one file of as many names as there are checkpoints, also after a resume", async () => {
    const run = join(await makeTestFolder(), "run");
    const controller = new AbortController();
    await train({
      ...options(run),
      signal: controller.signal,
      onProgress: ({ kind, step }) => {
        if (kind === "step" && step === 3) controller.abort();
      },
    });
    await train({ ...options(run), isResuming: true });
    const { checkpoints } = await listCheckpoints(run);
    expect(checkpoints.map(({ step }) => step)).toEqual([2, 4, 6, 8]);
    const inodes = await Promise.all(checkpoints.map(({ step }) => modelInode(run, step)));
    expect(new Set(inodes).size).toBe(1);
    expect((await stat(join(checkpointPath(run, 8), "model.json"))).nlink).toBe(4);
    expect((await stat(join(checkpointPath(run, 8), "weights.bin"))).nlink).toBe(1);
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("is a file of its own where the learning rate it names has changed", async () => {
    const run = join(await makeTestFolder(), "run");
    await train({
      ...options(run),
      learningRate: exponentialDecay({ initialRate: 0.01, decayRate: 0.5, decaySteps: 1 }),
    });
    const inodes = await Promise.all([2, 4, 6, 8].map((step) => modelInode(run, step)));
    expect(new Set(inodes).size).toBe(4);
    const rates = await Promise.all(
      [2, 8].map(async (step) => {
        const text = await readFile(join(checkpointPath(run, step), "model.json"), "utf8");
        return /"learningRate":([\d.e-]+)/.exec(text)?.[1];
      }),
    );
    expect(rates.map(Number)).toEqual([0.01 * 0.5, 0.01 * 0.5 ** 7]);
    expect((await verifyRun(run)).problems).toEqual([]);
  });
});

async function readSlots(optimizer: tf.Optimizer): Promise<unknown> {
  return (await optimizer.getWeights()).map(({ tensor }) => Array.from(tensor.dataSync()));
}

describe("weights in several files", () => {
  const maxShardSizeBytes = 100;

  it("are read by a resume and by TensorFlow.js over http, optimizer included", async () => {
    const path = join(await makeTestFolder(), "run");
    const model = createModel("adam");
    const { x, y } = await toTensors(data.train);
    await model.trainOnBatch(x, y);
    const first = await createCheckpointer({
      run: await openRun({ path }),
      model,
      save: everySteps(1),
      maxShardSizeBytes,
    });
    await first.step({ loss: 1 });
    await first.close();
    const saved = first.latest();
    const sizes = (saved?.manifest.files ?? [])
      .filter((file) => file.path.startsWith("weights"))
      .map((file) => [file.path, file.sizeBytes] as const);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes[0]?.[0]).toBe(`weights-00001-of-${String(sizes.length).padStart(5, "0")}.bin`);
    expect(new Set(sizes.slice(0, -1).map(([, size]) => size))).toEqual(new Set([maxShardSizeBytes]));
    expect(sizes.at(-1)?.[1]).toBeLessThanOrEqual(maxShardSizeBytes);
    expect((await verifyRun(path)).problems).toEqual([]);

    const other = createModel("adam");
    expect(readWeights(other)).not.toEqual(readWeights(model));
    const second = await createCheckpointer({
      run: await openRun({ path, isResuming: true }),
      model: other,
      save: everySteps(1),
    });
    expect(readWeights(other)).toEqual(readWeights(model));
    await second.close();

    const server = createServer((request, response) => {
      void readFile(join(saved?.path ?? "", request.url ?? "")).then((bytes) => response.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const loaded = await tf.loadLayersModel(
      `http://127.0.0.1:${(server.address() as { port: number }).port}/model.json`,
    );
    expect(readWeights(loaded)).toEqual(readWeights(model));
    const expected = await readSlots(model.optimizer);
    expect(await readSlots(loaded.optimizer)).toEqual(expected);
    expect(await readSlots(other.optimizer)).toEqual(expected);
    tf.dispose([x, y]);
    disposeModels(model, other, loaded);
  });

  it("may be cut otherwise after a resume", async () => {
    const path = join(await makeTestFolder(), "run");
    for (const [index, size] of [64, 1000, 7].entries()) {
      const run = await openRun({ path, isResuming: true });
      const model = createModel("sgd");
      if (index === 0) model.setWeights(model.getWeights().map((weight) => tf.fill(weight.shape, 0.25)));
      const checkpointer = await createCheckpointer({ run, model, save: everySteps(1), maxShardSizeBytes: size });
      expect(new Set(readWeights(model))).toEqual(new Set([0.25]));
      await checkpointer.step();
      await checkpointer.finish("stopped");
      disposeModels(model);
    }
    expect((await verifyRun(path)).problems).toEqual([]);
  });

  it.each([0, 1.5, Number.NaN])("cannot have a size of %s", async (size) => {
    const run = await openRun({ path: join(await makeTestFolder(), "run") });
    const options = { run, model: createModel(), save: everySteps(1), maxShardSizeBytes: size };
    await expect(createCheckpointer(options)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "maxShardSizeBytes" },
    });
    await run.close();
  });
});
