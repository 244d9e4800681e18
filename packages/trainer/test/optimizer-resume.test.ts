import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { createLayersModelState } from "../src/layers-model-state.js";
import { createSeededRandom } from "../src/seeded-random.js";
import {
  createModel,
  data,
  disposeModels,
  type OptimizerName,
  optimizers,
  readWeights,
  takeCopy,
  toTensors,
} from "./fixture.js";

const names = Object.keys(optimizers) as OptimizerName[];

async function trainSteps(model: tf.LayersModel, count: number): Promise<void> {
  const { x, y } = await toTensors(data.train);
  for (let i = 0; i < count; i++) await model.trainOnBatch(x, y);
  tf.dispose([x, y]);
}

function createUnnamedModel(): tf.LayersModel {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 2, inputShape: [3] }), tf.layers.dense({ units: 2 })],
  });
  model.compile({ optimizer: "adam", loss: "meanSquaredError" });
  return model;
}

describe("the state of a LayersModel", () => {
  it.each(names)("carries %s over to a new model bit for bit", async (name) => {
    const random = createSeededRandom(3);
    await random.run(async () => {
      const model = createModel(name);
      await trainSteps(model, 23);
      const snapshot = await takeCopy(createLayersModelState(model));
      const prng = random.getState();
      await trainSteps(model, 9);
      const expected = readWeights(model);

      random.setState(prng);
      const other = createModel(name);
      random.setState(prng);
      await createLayersModelState(other).restore(snapshot, "here");
      await trainSteps(other, 9);
      expect(readWeights(other)).toEqual(expected);
      disposeModels(model, other);
    });
  });

  it.each(names)("copies and puts back %s without leaking tensors", async (name) => {
    const model = createModel(name);
    const state = createLayersModelState(model);
    await trainSteps(model, 2);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) await state.restore(await takeCopy(state), "here");
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it("carries the learning rate", async () => {
    for (const name of ["sgd", "adam"] as const) {
      const [model, other] = [createModel(name), createModel(name)];
      Object.assign(model.optimizer, { learningRate: 0.125 });
      await createLayersModelState(other).restore(await takeCopy(createLayersModelState(model)), "here");
      expect(other.optimizer.getConfig()["learningRate"]).toBe(0.125);
      disposeModels(model, other);
    }
  });

  it("goes by position when layers were numbered anew", async () => {
    const [model, other] = [createUnnamedModel(), createUnnamedModel()];
    await model.trainOnBatch(tf.ones([1, 3]), tf.ones([1, 2]));
    await createLayersModelState(other).restore(await takeCopy(createLayersModelState(model)), "here");
    expect(readWeights(other)).toEqual(readWeights(model));
    disposeModels(model, other);
  });

  it("refuses another model's or optimizer's state and changes nothing", async () => {
    const model = createModel("adam");
    const other = tf.sequential({ layers: [tf.layers.dense({ name: "hidden", units: 2, inputShape: [4] })] });
    other.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const cases = [
      [other, "(all)"],
      [createModel("sgd"), "optimizer"],
    ] as const;
    const before = readWeights(model);
    for (const [from, weight] of cases) {
      const snapshot = await takeCopy(createLayersModelState(from));
      await expect(createLayersModelState(model).restore(snapshot, "here")).rejects.toMatchObject({
        code: "WEIGHTS_MISMATCH",
        details: { path: "here", weight },
      });
    }
    const snapshot = await takeCopy(createLayersModelState(model));
    const config = { ...snapshot.optimizer?.config, beta1: 0.5 };
    if (snapshot.optimizer === undefined) throw new Error("no optimizer");
    await expect(
      createLayersModelState(model).restore({ ...snapshot, optimizer: { ...snapshot.optimizer, config } }, "here"),
    ).rejects.toMatchObject({ details: { weight: "optimizer beta1", expected: "0.5", found: "0.9" } });
    expect(readWeights(model)).toEqual(before);
  });

  it("refuses an optimizer whose state it does not know", () => {
    class OwnOptimizer extends tf.SGDOptimizer {
      override getClassName(): string {
        return "Own";
      }
    }
    const model = createModel();
    expect(() => createLayersModelState(model, new OwnOptimizer(0.1))).toThrow("optimizer: expected one of SGD");
  });
});
