import * as tf from "@tensorflow/tfjs";
import { expect, it } from "vitest";

import { captureModel } from "../src/capture/capture-model.js";
import { emitGraphModel } from "../src/emit/index.js";
import { maxDifference, randomizeWeights } from "./compare-model.js";

function createModel(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: "relu", name: "conv" }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 10, activation: "softmax", name: "classes" }),
      tf.layers.dense({ units: 1, activation: "sigmoid", name: "score" }),
    ],
  });
  randomizeWeights(model);
  return model;
}

it.each([
  ["u16", 2, 1e-4],
  ["f16", 2, 2e-3],
  ["u8", 1, 3e-2],
] as const)("a GraphModel with weights as %s is smaller, and runs in TensorFlow.js", async (as, bytes, tolerance) => {
  const model = createModel();
  const { graph } = captureModel(model);
  const whole = emitGraphModel(graph);
  const quantized = emitGraphModel(graph, { quantize: [{ as, weights: "*" }] });
  const stored = quantized.weightSpecs.filter(({ quantization }) => quantization !== undefined);
  expect(stored.map(({ name }) => name)).toEqual([
    "conv/kernel",
    "conv/bias",
    "classes/kernel",
    "classes/bias",
    "score/kernel",
  ]);
  const saved = stored.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape) * (4 - bytes), 0);
  expect(quantized.weightData.byteLength).toBe(whole.weightData.byteLength - saved);

  const graphModel = await tf.loadGraphModel(tf.io.fromMemory(quantized));
  const x = tf.randomNormal([5, 8, 8, 1], 0, 1, "float32", 7);
  const error = maxDifference(graphModel.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor);
  expect(error).toBeLessThan(tolerance);
  expect(error).toBeGreaterThan(0);
});

it("weights of several forms, and of none, stand in one GraphModel", async () => {
  const model = createModel();
  const { graph } = captureModel(model);
  const quantized = emitGraphModel(graph, {
    quantize: [
      { as: "u8", weights: "*" },
      { as: "f16", weights: "conv/*" },
      { as: "none", weights: "*/bias" },
    ],
  });
  const forms = quantized.weightSpecs.map(({ name, quantization }) => [name, quantization?.dtype]);
  expect(forms.filter(([name]) => !name?.includes("Const"))).toEqual([
    ["conv/kernel", "float16"],
    ["conv/bias", undefined],
    ["classes/kernel", "uint8"],
    ["classes/bias", undefined],
    ["score/kernel", "uint8"],
    ["score/bias", undefined],
  ]);
  const graphModel = await tf.loadGraphModel(tf.io.fromMemory(quantized));
  const x = tf.randomNormal([5, 8, 8, 1], 0, 1, "float32", 7);
  expect(maxDifference(graphModel.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor)).toBeLessThan(3e-2);
});
