import { join } from "node:path";

import { selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";
import { afterAll, describe, expect, it } from "vitest";

import { createSeededRandom, everySteps, train, type TrainOptions } from "../src/index.js";
import { createLayersModelState } from "../src/layers-model-state.js";
import {
  createModel,
  data,
  disposeModels,
  type OptimizerName,
  optimizers,
  readRunFiles,
  readWeights,
  takeCopy,
  toTensors,
} from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

describe("the wasm backend", () => {
  // The files of a worker share one TensorFlow.js.
  afterAll(() => tf.setBackend("cpu"));

  it.each(Object.keys(optimizers) as OptimizerName[])("carries %s over to a new model bit for bit", async (name) => {
    await selectBackend("wasm");
    const random = createSeededRandom(3);
    await random.run(async () => {
      const { x, y } = await toTensors(data.train);
      const [model, other] = [createModel(name), createModel(name)];
      for (let i = 0; i < 23; i++) await model.trainOnBatch(x, y);
      await createLayersModelState(other).restore(await takeCopy(createLayersModelState(model)), "here");
      const prng = random.getState();
      for (const each of [model, other]) {
        random.setState(prng);
        for (let i = 0; i < 9; i++) await each.trainOnBatch(x, y);
      }
      expect(tf.getBackend()).toBe("wasm");
      expect(readWeights(other)).toEqual(readWeights(model));
      tf.dispose([x, y]);
      disposeModels(model, other);
    });
  });

  it("resumes bit for bit too", async () => {
    await selectBackend("wasm");
    const folder = await makeTestFolder();
    const options: Omit<TrainOptions, "run"> = {
      name: "blobs",
      model: () => createModel("adam"),
      data,
      epochs: 3,
      batchSize: 16,
      measureEverySteps: 3,
      save: everySteps(4),
      seed: 7,
    };
    await train({ ...options, run: join(folder, "whole") });
    const whole = await readRunFiles(join(folder, "whole"));
    expect(whole["run.json"]).toContain('"backend": "wasm"');
    for (const stop of [1, 3, 6, 8, 10]) {
      const run = join(folder, String(stop));
      const controller = new AbortController();
      const onProgress: TrainOptions["onProgress"] = ({ kind, step }) => {
        if (kind === "step" && step === stop) controller.abort();
      };
      await train({ ...options, run, signal: controller.signal, onProgress });
      await train({ ...options, run, isResuming: true });
      expect(await readRunFiles(run)).toEqual(whole);
    }
  });
});
