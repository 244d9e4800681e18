import { join } from "node:path";

import { selectBackend } from "@ckpt/backend";
import type { Batch } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { train } from "../../src/index.js";
import { expectExactResume, readFinalWeights, schedule } from "../exact-resume.js";
import { createModel, data, type OptimizerName, optimizers } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";

const names = Object.keys(optimizers) as OptimizerName[];

/** The train split's rows with one value drawn anew. */
async function gatherNoisy(rows: ArrayLike<number>): Promise<Batch> {
  const batch = await data.train.gather(rows);
  for (const { data: values } of Object.values(batch.inputs)) values[0] = Math.random();
  return batch;
}

function createCentered(): tf.LayersModel {
  const model = createModel();
  const optimizer = tf.train.rmsprop(0.01, 0.9, 0.5, 1e-7, true);
  model.compile({ optimizer, loss: "sparseCategoricalCrossentropy" });
  return model;
}

describe.each(["cpu", "wasm"] as const)("train on the backend %s", (backend) => {
  beforeAll(() => selectBackend(backend));
  // The files of a worker share one TensorFlow.js.
  afterAll(() => tf.setBackend("cpu"));

  it.each(names)("gives the same bytes with %s, stopped and resumed or not", async (name) => {
    expect(tf.getBackend()).toBe(backend);
    await expectExactResume({ model: () => createModel(name), data });
  });
});

describe("train", () => {
  it("seeds what a split draws as it gathers rows", async () => {
    const noisy = { ...data, train: { ...data.train, gather: gatherNoisy } };
    await expectExactResume({ data: noisy, model: () => createModel("adam") });
  });

  it("meets the fault of TensorFlow.js' centered RMSProp, which the fixture's negative epsilon avoids", async () => {
    const folder = await makeTestFolder();
    await selectBackend("cpu");
    await expect(train({ ...schedule, run: join(folder, "cpu"), data, model: createCentered })).rejects.toMatchObject({
      code: "METRIC_NOT_FINITE",
    });
    // Its `clipByValue`, which the cross entropies use, makes the lower bound of NaN: the loss stays finite.
    await selectBackend("wasm");
    await train({ ...schedule, run: join(folder, "wasm"), data, model: createCentered });
    expect((await readFinalWeights(join(folder, "wasm"))).some(Number.isNaN)).toBe(true);
    await selectBackend("cpu");
  });
});
