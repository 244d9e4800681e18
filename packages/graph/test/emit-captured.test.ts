import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, it } from "vitest";

import { captureModel, optimize } from "../src/index.js";
import { makeInputs, randomizeWeights } from "./compare-model.js";
import { Attention } from "./custom-layers.js";
import { allFormats, expectClose, runFormat, toOutput } from "./run-formats.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const stack = (...list: tf.layers.Layer[]): tf.LayersModel => tf.sequential({ layers: list });

function twoInputs(): tf.LayersModel {
  const [a, b] = [tf.input({ shape: [6], name: "a" }), tf.input({ shape: [6], name: "b" })];
  const shared = layers.dense({ units: 4, activation: "tanh" });
  const left = layers.prelu().apply(shared.apply(a)) as tf.SymbolicTensor;
  const right = layers.elu().apply(shared.apply(b)) as tf.SymbolicTensor;
  const joined = layers.concatenate().apply([left, right]) as tf.SymbolicTensor;
  const first = layers.dense({ units: 2, activation: "softmax", name: "classes" }).apply(joined) as tf.SymbolicTensor;
  const second = layers.add({ name: "sum" }).apply([left, right]) as tf.SymbolicTensor;
  return tf.model({ inputs: [a, b], outputs: [second, first] });
}

function residual(): tf.LayersModel {
  const input = tf.input({ shape: [8, 8, 3] });
  const convolve = (x: tf.SymbolicTensor, filters: number): tf.SymbolicTensor => {
    const convolved = layers.conv2d({ filters, kernelSize: 3, padding: "same", useBias: false }).apply(x);
    const normalized = layers.batchNormalization().apply(convolved);
    return layers.reLU().apply(normalized) as tf.SymbolicTensor;
  };
  const stem = convolve(input, 4);
  const sum = layers.add().apply([convolve(stem, 4), stem]) as tf.SymbolicTensor;
  const pooled = layers.averagePooling2d({ poolSize: 2, padding: "same" }).apply(sum) as tf.SymbolicTensor;
  const wide = layers.concatenate().apply([pooled, convolve(pooled, 3)]) as tf.SymbolicTensor;
  const flat = layers.globalAveragePooling2d({ dataFormat: "channelsLast" }).apply(wide) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: layers.dense({ units: 3 }).apply(flat) as tf.SymbolicTensor });
}

const models: Readonly<Record<string, () => tf.LayersModel>> = {
  "dense layers": () =>
    stack(
      layers.dense({ units: 16, activation: "relu", inputShape: [8] }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 4, activation: "softmax" }),
    ),
  "two inputs and two outputs": twoInputs,
  "a residual network": residual,
  "separable convolutions": () =>
    stack(
      layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, inputShape: [9, 8, 3] }),
      layers.batchNormalization(),
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" }),
      layers.zeroPadding2d({ padding: 1 }),
      layers.cropping2D({
        cropping: [
          [1, 0],
          [0, 1],
        ],
      }),
      layers.flatten(),
    ),
  "an autoencoder": () =>
    stack(
      layers.conv2d({
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        activation: "elu",
        inputShape: [8, 8, 2],
      }),
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
      layers.upSampling2d({ size: [2, 2] }),
      layers.conv2dTranspose({ filters: 2, kernelSize: 2, padding: "valid" }),
    ),
  "a one-dimensional convolution": () =>
    stack(
      layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2, inputShape: [12, 3] }),
      layers.maxPooling1d({ poolSize: 2 }),
      layers.layerNormalization(),
      layers.globalMaxPooling1d(),
    ),
  "stacked LSTMs": () =>
    stack(
      layers.lstm({ units: 5, returnSequences: true, inputShape: [4, 3] }),
      layers.lstm({ units: 4 }),
      layers.dense({ units: 2 }),
    ),
  "an embedding with a bidirectional GRU": () =>
    stack(
      layers.embedding({ inputDim: 10, outputDim: 4, maskZero: true, inputLength: 5 }),
      layers.bidirectional({ layer: layers.gru({ units: 3 }), mergeMode: "concat" }),
    ),
  "a custom attention layer": () => {
    const input = tf.input({ shape: [5, 6] });
    return tf.model({ inputs: input, outputs: new Attention({ units: 4 }).apply(input) as tf.SymbolicTensor });
  },
};

describe("a captured model, emitted", () => {
  it.each(Object.keys(models))("gives what the model gives, with %s", async (name) => {
    const model = models[name]!();
    randomizeWeights(model);
    const { graph } = captureModel(model);
    const optimized = optimize(graph);
    // A batch size that the capture did not probe with.
    const inputs = makeInputs(model, 5, name.startsWith("an embedding") ? 10 : undefined);
    const result = model.predict(inputs);
    const expected = (Array.isArray(result) ? result : [result]).map(toOutput);
    const feeds = Object.fromEntries(graph.inputs.map((input, index) => [input.name, inputs[index]!]));
    for (const format of allFormats) {
      expectClose(await runFormat(format, optimized, feeds), expected, 5e-6);
    }
  });
});
