import { join } from "node:path";

import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { capture, freeze } from "../src/index.js";
import { createTemporaryFolder, writeCheckpoint } from "./folders.js";
import { createConvModel, setRandomWeights } from "./models.js";
import { predictArtifact } from "./predict-artifact.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** Two branches, one of them through a model in the model. */
function createBranchedModel(): tf.LayersModel {
  const encoder = tf.sequential({
    name: "encoder",
    layers: [
      tf.layers.dense({ name: "first", inputShape: [6], units: 5, activation: "tanh" }),
      tf.layers.dense({ name: "second", units: 4 }),
    ],
  });
  const [left, right] = [tf.input({ shape: [6], name: "left" }), tf.input({ shape: [6], name: "right" })];
  const shared = tf.layers.dense({ name: "shared", units: 3, activation: "sigmoid" });
  const sides = [left, right].map((side) => shared.apply(encoder.apply(side)) as tf.SymbolicTensor);
  const joined = tf.layers.concatenate({ name: "joined" }).apply(sides) as tf.SymbolicTensor;
  const score = tf.layers.dense({ name: "score", units: 1 }).apply(joined) as tf.SymbolicTensor;
  const classes = tf.layers.dense({ name: "classes", units: 2 }).apply(joined) as tf.SymbolicTensor;
  const model = tf.model({ inputs: [left, right], outputs: [score, classes] });
  setRandomWeights(model, 4);
  return model;
}

const left = (): tf.Tensor => tf.randomNormal([2, 6], 0, 1, "float32", 1);
const right = (): tf.Tensor => tf.randomNormal([2, 6], 0, 1, "float32", 2);

function expectClose(found: ArrayLike<number> | undefined, expected: tf.Tensor): void {
  const values = expected.dataSync();
  expect(found).toHaveLength(values.length);
  for (const [at, value] of values.entries()) expect(found?.[at]).toBeCloseTo(value, 5);
}

describe("a piece of a LayersModel", () => {
  it("ends at the layers named, in a model in the model and at each call of a shared one", async () => {
    const out = join(await createTemporaryFolder(), "artifact");
    const model = createBranchedModel();
    const outputs = ["shared:1", "encoder/first", "classes", "joined"];
    const { numTensors } = tf.memory();
    const { path, manifest, unverified } = await capture(model, { outputs }).bind().write(out);

    expect(tf.memory().numTensors).toBe(numTensors);
    expect(unverified).toEqual([]);
    expect(manifest.cut).toEqual({ outputs });
    expect(manifest.signature.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["shared:1", [null, 3]],
      ["encoder/first", [null, 5]],
      ["classes", [null, 2]],
      ["joined", [null, 6]],
    ]);
    const inputs = [left(), right()];
    const [shared, first, classes, joined] = await predictArtifact(path, inputs);
    const encoder = model.getLayer("encoder") as tf.LayersModel;
    // TensorFlow.js runs the branch of the second input first.
    expectClose(shared, model.getLayer("shared").apply(encoder.predict(inputs[0] as tf.Tensor)) as tf.Tensor);
    expectClose(first, encoder.getLayer("first").apply(inputs[1] as tf.Tensor) as tf.Tensor);
    expectClose(classes, (model.predict(inputs) as tf.Tensor[])[1] as tf.Tensor);
    expectClose(joined?.slice(0, 3), tf.tensor(shared ?? []).slice(0, 3));
  });

  it("begins at the layers named, whose values are its inputs", async () => {
    const folder = await createTemporaryFolder();
    const model = createConvModel(2);
    const source = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
    const cut = { inputs: ["pool"], outputs: ["classes"] };
    const { path, manifest } = await freeze({ source, out: join(folder, "artifact"), ...cut });

    expect(manifest.cut).toEqual(cut);
    expect(manifest.signature.inputs).toEqual([{ name: "pool", dtype: "float32", shape: [null, 4, 4, 4] }]);
    const pooled = tf.randomNormal([2, 4, 4, 4], 0, 1, "float32", 3);
    const expected = model.getLayer("classes").apply(model.getLayer("flatten").apply(pooled)) as tf.Tensor;
    const [found] = await predictArtifact(path, [pooled]);
    expectClose(found, expected);
  });

  it("may begin in one branch and with the model's own input in the other", () => {
    const { signature } = capture(createBranchedModel(), { inputs: ["left", "shared"], outputs: ["score"] });
    expect(signature.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["left", [null, 6]],
      ["shared", [null, 3]],
    ]);
  });

  it("is refused when its outputs need more than its inputs, by what is missing", () => {
    const model = createBranchedModel();
    expect(() => capture(model, { inputs: ["shared"], outputs: ["score"] })).toThrow(/also need left/);
    expect(() => capture(model, { inputs: ["shared", "shared:1"], outputs: ["score"] })).not.toThrow();
  });

  it.each([
    [{ outputs: ["encoder/frist"] }, /encoder\/first, .*found encoder\/frist/],
    [{ inputs: ["shard"] }, /shared, /],
    [{ outputs: ["shared:2"] }, /as many results/],
    [{ outputs: [] }, /one or more names/],
    [{ outputs: ["score", "score"] }, /score twice/],
  ])("is refused for what is not there: %o", (cut, message) => {
    const error = (() => {
      try {
        return capture(createBranchedModel(), cut);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isCkptError(error, "INVALID_OPTION") && error.message).toMatch(message);
  });

  it("gives layers back as they were", () => {
    const model = createBranchedModel();
    capture(model, { inputs: ["joined"], outputs: ["score"] });
    expect(model.layers.filter((layer) => Object.hasOwn(layer, "call"))).toEqual([]);
  });
});
