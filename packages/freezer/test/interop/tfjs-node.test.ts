import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { freeze } from "../../src/index.js";
import { createTemporaryFolder, writeCheckpoint } from "../folders.js";
import { createConvModel, createNestedModel, setRandomWeights } from "../models.js";

beforeAll(async () => {
  await import("@tensorflow/tfjs-node");
});

const models: Readonly<Record<string, () => tf.LayersModel>> = {
  "a convolutional model": () => createConvModel(),
  "two inputs and two outputs": () => createNestedModel(),
  "a recurrent model": () => {
    const model = tf.sequential({ layers: [tf.layers.lstm({ units: 4, inputShape: [3, 2] })] });
    setRandomWeights(model, 1);
    return model;
  },
};

describe.each(["cpu", "tensorflow"])("an artifact made on the backend %s, where tfjs-node is loaded", (backend) => {
  beforeAll(() => tf.setBackend(backend));

  it.each(Object.entries(models))(
    "has its SavedModel and its .pb run in TensorFlow itself, with %s",
    async (_, make) => {
      const folder = await createTemporaryFolder();
      const model = make();
      const source = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
      const { numTensors } = tf.memory();
      const { manifest } = await freeze({ source, out: join(folder, "artifact") });
      expect(tf.getBackend()).toBe(backend);
      expect(tf.memory().numTensors).toBe(numTensors);

      const runs = manifest.parity.map(({ format, engine }) => `${format} in ${engine}`);
      expect([...new Set(runs)]).toEqual([
        "graph-model in tfjs",
        "graph-def in tfjs",
        "graph-def in tfjs-node",
        "saved-model in tfjs",
        "saved-model in tfjs-node",
        "onnx in onnxruntime-node",
      ]);
      for (const { maxAbsoluteError } of manifest.parity) expect(maxAbsoluteError).toBeLessThan(1e-5);
    },
  );
});
