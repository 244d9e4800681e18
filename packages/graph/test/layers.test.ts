import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureModel, optimize, validateGraph } from "../src/index.js";
import { compareWithModel, randomizeWeights } from "./compare-model.js";

const { layers } = tf;

function stack(inputShape: number[], ...list: tf.layers.Layer[]): tf.LayersModel {
  const input = tf.input({ shape: inputShape });
  const output = list.reduce<tf.SymbolicTensor>((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output });
}

const activations = [
  "elu",
  "hardSigmoid",
  "linear",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "tanh",
  "swish",
  "mish",
  "gelu",
  "gelu_new",
] as const;

const cases: Record<string, () => tf.LayersModel> = {
  "dense without bias": () => stack([4], layers.dense({ units: 3, useBias: false })),
  "dense over time": () => stack([5, 4], layers.dense({ units: 3, activation: "tanh" })),
  "dense with one unit": () => stack([1], layers.dense({ units: 1 })),
  conv1d: () => stack([9, 3], layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, activation: "relu" })),
  "conv1d dilated": () => stack([9, 3], layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: "same" })),
  "conv2d same": () =>
    stack([7, 6, 2], layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: 2, padding: "same", activation: "elu" })),
  "conv2d valid without bias": () => stack([7, 6, 2], layers.conv2d({ filters: 3, kernelSize: 2, useBias: false })),
  "conv2d dilated": () => stack([9, 9, 2], layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2 })),
  "conv2d channels first": () =>
    stack([2, 6, 7], layers.conv2d({ filters: 3, kernelSize: 2, dataFormat: "channelsFirst" })),
  depthwiseConv2d: () => stack([6, 6, 3], layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2 })),
  separableConv2d: () =>
    stack([6, 6, 3], layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, activation: "relu" })),
  conv2dTranspose: () =>
    stack([4, 5, 2], layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" })),
  maxPooling1d: () => stack([8, 3], layers.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" })),
  averagePooling1d: () => stack([8, 3], layers.averagePooling1d({ poolSize: 2 })),
  maxPooling2d: () => stack([7, 7, 3], layers.maxPooling2d({ poolSize: [3, 2], strides: 2, padding: "same" })),
  averagePooling2d: () => stack([7, 7, 3], layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" })),
  globalAveragePooling1d: () => stack([5, 3], layers.globalAveragePooling1d({})),
  globalAveragePooling2d: () => stack([5, 4, 3], layers.globalAveragePooling2d({})),
  globalMaxPooling1d: () => stack([5, 3], layers.globalMaxPooling1d({})),
  globalMaxPooling2d: () => stack([5, 4, 3], layers.globalMaxPooling2d({ dataFormat: "channelsLast" })),
  "batchNormalization of rank 2": () => stack([5], layers.batchNormalization()),
  "batchNormalization of rank 3": () => stack([4, 5], layers.batchNormalization({ scale: false })),
  "batchNormalization of rank 4": () => stack([4, 4, 3], layers.batchNormalization({ center: false })),
  "layerNormalization of rank 2": () => stack([5], layers.layerNormalization()),
  "layerNormalization of rank 3": () => stack([4, 5], layers.layerNormalization()),
  dropouts: () =>
    stack(
      [4, 4, 3],
      layers.dropout({ rate: 0.5 }),
      layers.gaussianNoise({ stddev: 1 }),
      layers.gaussianDropout({ rate: 0.5 }),
      layers.alphaDropout({ rate: 0.5 }),
      layers.dense({ units: 2 }),
    ),
  flatten: () => stack([3, 4, 2], layers.flatten(), layers.dense({ units: 3 })),
  "flatten channels first": () => stack([3, 4, 2], layers.flatten({ dataFormat: "channelsFirst" })),
  reshape: () => stack([3, 4], layers.reshape({ targetShape: [2, -1] })),
  permute: () => stack([3, 4, 2], layers.permute({ dims: [3, 1, 2] })),
  repeatVector: () => stack([3], layers.repeatVector({ n: 4 })),
  zeroPadding2d: () =>
    stack(
      [3, 4, 2],
      layers.zeroPadding2d({
        padding: [
          [1, 2],
          [0, 3],
        ],
      }),
    ),
  cropping2D: () =>
    stack(
      [6, 5, 2],
      layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 1],
        ],
      }),
    ),
  "upSampling2d nearest": () => stack([3, 4, 2], layers.upSampling2d({ size: [2, 3] })),
  "upSampling2d bilinear": () => stack([3, 4, 2], layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" })),
  rescaling: () => stack([3, 4, 2], layers.rescaling({ scale: 1 / 255, offset: -1 })),
  leakyReLU: () => stack([5], layers.leakyReLU({ alpha: 0.2 })),
  "leakyReLU and reLU layers": () => stack([5], layers.reLU({ maxValue: 0.5 }), layers.leakyReLU({ alpha: 0.2 })),
  "elu layer": () => stack([5], layers.elu()),
  thresholdedReLU: () => stack([5], layers.thresholdedReLU({ theta: 0.3 })),
  prelu: () => stack([4, 5], layers.prelu({})),
  "softmax layer": () => stack([5], layers.softmax()),
  timeDistributed: () => stack([3, 4], layers.timeDistributed({ layer: layers.dense({ units: 2 }) })),
  ...Object.fromEntries(
    activations.flatMap((activation) => [
      [`dense with ${activation}`, () => stack([4], layers.dense({ units: 3, activation }))],
      [`conv2d with ${activation}`, () => stack([4, 4, 2], layers.conv2d({ filters: 3, kernelSize: 2, activation }))],
    ]),
  ),
};

const merges: Record<string, () => tf.layers.Layer> = {
  add: () => layers.add(),
  average: () => layers.average(),
  concatenate: () => layers.concatenate(),
  "concatenate on an inner axis": () => layers.concatenate({ axis: 1 }),
  dot: () => layers.dot({ axes: 2 }),
  maximum: () => layers.maximum(),
  minimum: () => layers.minimum(),
  multiply: () => layers.multiply(),
};

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function check(model: tf.LayersModel, indexLimit?: number): void {
  randomizeWeights(model);
  const { graph } = captureModel(model);
  expect(compareWithModel(graph, model, indexLimit)).toBeLessThanOrEqual(1e-6);
  const optimized = optimize(graph);
  validateGraph(optimized);
  expect(compareWithModel(optimized, model, indexLimit)).toBeLessThanOrEqual(1e-6);
}

describe("a captured layer computes what the layer computes, before and after optimization", () => {
  it.each(Object.entries(cases))("%s", (_, build) => {
    check(build());
  });

  it.each(Object.entries(merges))("%s of two branches", (_, merge) => {
    const inputs = [tf.input({ shape: [3, 4] }), tf.input({ shape: [3, 4] })];
    check(tf.model({ inputs, outputs: merge().apply(inputs) as tf.SymbolicTensor }));
  });

  it("embedding", () => {
    check(stack([6], layers.embedding({ inputDim: 7, outputDim: 3 }), layers.flatten(), layers.dense({ units: 2 })), 7);
  });
});
