import { selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { expectExactResume } from "./exact-resume.js";
import { createModel, data, type OptimizerName, optimizers } from "./fixture.js";

const names = Object.keys(optimizers) as OptimizerName[];

describe.each(["cpu", "wasm"] as const)("train on the backend %s", (backend) => {
  beforeAll(() => selectBackend(backend));
  // The files of a worker share one TensorFlow.js.
  afterAll(() => tf.setBackend("cpu"));

  it.each(names)("gives the same bytes with %s, stopped and resumed or not", async (name) => {
    expect(tf.getBackend()).toBe(backend);
    await expectExactResume({ model: () => createModel(name), data });
  });
});
