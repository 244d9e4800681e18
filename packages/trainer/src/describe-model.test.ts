import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { describeModel } from "./describe-model.js";

interface Choice {
  readonly units?: number;
  readonly rate?: number;
  readonly learningRate?: number;
  readonly loss?: string | ((expected: tf.Tensor, predicted: tf.Tensor) => tf.Tensor);
}

function build({ units = 4, rate = 0.5, learningRate = 0.01, loss = "meanSquaredError" }: Choice = {}): string {
  const input = tf.input({ shape: [3] });
  const hidden = tf.layers.dense({ units, activation: "relu" }).apply(input) as tf.SymbolicTensor;
  const dropped = tf.layers.dropout({ rate }).apply(hidden) as tf.SymbolicTensor;
  const inner = tf.sequential({ layers: [tf.layers.dense({ inputShape: [units], units: 2 })] });
  const model = tf.model({ inputs: input, outputs: inner.apply(dropped) as tf.SymbolicTensor });
  model.compile({ optimizer: tf.train.adam(learningRate), loss, metrics: ["mae"] });
  return JSON.stringify(describeModel(model));
}

describe("describeModel", () => {
  beforeAll(() => tf.setBackend("cpu"));

  it("is the same for a model built again, whatever numbers its layers got", () => {
    expect(build()).toBe(build());
  });

  it.each<[string, Choice]>([
    ["a layer's size", { units: 5 }],
    ["a layer's option", { rate: 0.4 }],
    ["the optimizer's option", { learningRate: 0.02 }],
    ["the loss", { loss: "meanAbsoluteError" }],
    ["a loss of the user's own", { loss: (expected, predicted) => tf.losses.huberLoss(expected, predicted) }],
  ])("tells another %s", (_, choice) => {
    expect(build(choice)).not.toBe(build());
  });
});
