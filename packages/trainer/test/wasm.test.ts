import { join } from "node:path";

import { selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";
import { afterAll, describe, expect, it } from "vitest";

import { everySteps, train, type TrainOptions } from "../src/index.js";
import { createModel, data, readRunFiles } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

describe("train on the wasm backend", () => {
  // The files of a worker share one TensorFlow.js.
  afterAll(() => tf.setBackend("cpu"));

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
