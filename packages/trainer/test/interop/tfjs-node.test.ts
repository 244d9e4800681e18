import { selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { expectExactResume } from "../exact-resume.js";
import { createModel, data, type OptimizerName, optimizers } from "../fixture.js";
import { createConvolutions, images } from "./images.js";

const names = Object.keys(optimizers) as OptimizerName[];

describe("train on the backend tensorflow", () => {
  beforeAll(() => selectBackend("tensorflow"));
  afterAll(() => tf.setBackend("cpu"));

  it.each(names)("gives the same bytes with %s on dense layers, stopped and resumed or not", async (name) => {
    expect(tf.getBackend()).toBe("tensorflow");
    await expectExactResume({ model: () => createModel(name), data });
  });

  it.each(names)("gives the same bytes with %s on convolutions, stopped and resumed or not", async (name) => {
    await expectExactResume({ model: () => createConvolutions(name), data: images });
  });
});
