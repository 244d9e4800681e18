import * as tf from "@tensorflow/tfjs";

import { joinCase, layerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

/** Cases of the layers of `core.js`. */
export const coreCases: LayerCases = {
  dense: [
    layerCase("", [4], () => layers.dense({ units: 3 })),
    layerCase("useBias: false", [4], () => layers.dense({ units: 3, useBias: false })),
    layerCase("of one unit", [1], () => layers.dense({ units: 1 })),
    layerCase("of rank 3", [5, 4], () => layers.dense({ units: 3, activation: "tanh" })),
    layerCase("of rank 4", [2, 5, 4], () => layers.dense({ units: 3, activation: "relu" })),
  ],
  dropout: [
    layerCase("", [4], () => layers.dropout({ rate: 0.5 })),
    layerCase("noiseShape", [4, 3], () => layers.dropout({ rate: 0.5, noiseShape: [1, 1, 3] })),
  ],
  spatialDropout1d: [layerCase("", [4, 3], () => layers.spatialDropout1d({ rate: 0.5 }))],
  flatten: [
    layerCase("", [3, 4, 2], () => layers.flatten()),
    layerCase("channelsFirst", [3, 4, 2], () => layers.flatten({ dataFormat: "channelsFirst" })),
  ],
  repeatVector: [layerCase("", [3], () => layers.repeatVector({ n: 4 }))],
  reshape: [
    layerCase("", [3, 4], () => layers.reshape({ targetShape: [2, 6] })),
    layerCase("with one size left open", [3, 4], () => layers.reshape({ targetShape: [2, -1, 3] })),
  ],
  permute: [layerCase("", [3, 4, 2], () => layers.permute({ dims: [3, 1, 2] }))],
  masking: [
    layerCase("", [4, 3], () => layers.masking()),
    layerCase("maskValue", [4, 3], () => [layers.reLU(), layers.masking({ maskValue: 0.5 })]),
  ],
  embedding: [
    layerCase("", [6], () => layers.embedding({ inputDim: 7, outputDim: 3 }), { indexLimit: 7 }),
    layerCase("inputLength", [6], () => layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 6 }), {
      indexLimit: 7,
    }),
    layerCase("of a matrix", [2, 3], () => layers.embedding({ inputDim: 7, outputDim: 3 }), { indexLimit: 7 }),
    layerCase(
      "maskZero",
      [4],
      () => [layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }), layers.simpleRNN({ units: 2 })],
      { indexLimit: 5 },
    ),
    joinCase("of int32", [{ shape: [5], dtype: "int32" }], () => layers.embedding({ inputDim: 9, outputDim: 2 }), {
      indexLimit: 9,
    }),
  ],
  inputLayer: [
    {
      note: "",
      build: () =>
        tf.sequential({ layers: [layers.inputLayer({ inputShape: [3], name: "x" }), layers.dense({ units: 2 })] }),
    },
  ],
  input: [
    joinCase("of int32", [{ shape: [3], dtype: "int32" }], () => layers.reshape({ targetShape: [3, 1] })),
    joinCase("of bool", [{ shape: [3], dtype: "bool" }], () => layers.repeatVector({ n: 2 })),
  ],
};
