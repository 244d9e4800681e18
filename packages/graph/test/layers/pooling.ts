import * as tf from "@tensorflow/tfjs";

import { layerCase, type LayerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

type Pool2d = Parameters<typeof layers.maxPooling2d>[0];
type Pool3d = Parameters<typeof layers.maxPooling3d>[0];

function pool1d(make: (options: Parameters<typeof layers.maxPooling1d>[0]) => tf.layers.Layer): readonly LayerCase[] {
  return [
    layerCase("", [8, 3], () => make({})),
    layerCase("strides, padding: same", [8, 3], () => make({ poolSize: 3, strides: 2, padding: "same" })),
  ];
}

function pool2d(make: (options: Pool2d) => tf.layers.Layer): readonly LayerCase[] {
  return [
    layerCase("", [7, 7, 3], () => make({})),
    layerCase("poolSize, strides, padding: same", [7, 7, 3], () =>
      make({ poolSize: [3, 2], strides: [2, 3], padding: "same" }),
    ),
    layerCase("dataFormat: channelsFirst", [3, 7, 6], () => make({ poolSize: 2, dataFormat: "channelsFirst" })),
  ];
}

function pool3d(make: (options: Pool3d) => tf.layers.Layer): readonly LayerCase[] {
  return [
    layerCase("", [5, 5, 5, 2], () => make({ poolSize: 2 })),
    layerCase("poolSize, strides, padding: same", [5, 5, 4, 2], () =>
      make({ poolSize: [3, 2, 2], strides: [2, 1, 2], padding: "same" }),
    ),
    layerCase(
      "padding: same, strides longer than poolSize",
      [6, 6, 4, 2],
      () => make({ poolSize: 2, strides: [3, 3, 3], padding: "same" }),
      { corrected: "a window whose strides" },
    ),
    layerCase("dataFormat: channelsFirst", [2, 4, 4, 5], () => make({ poolSize: 2, dataFormat: "channelsFirst" })),
  ];
}

function global2d(make: (options: { dataFormat?: "channelsFirst" }) => tf.layers.Layer): readonly LayerCase[] {
  return [
    layerCase("", [5, 4, 3], () => make({})),
    layerCase("dataFormat: channelsFirst", [3, 5, 4], () => make({ dataFormat: "channelsFirst" })),
    layerCase("behind a convolution", [5, 4, 3], () => [layers.conv2d({ filters: 2, kernelSize: 2 }), make({})]),
  ];
}

/** Cases of the layers of `pooling.js`. */
export const poolingCases: LayerCases = {
  averagePooling1d: pool1d(layers.averagePooling1d),
  averagePooling2d: pool2d(layers.averagePooling2d),
  averagePooling3d: pool3d(layers.averagePooling3d),
  globalAveragePooling1d: [layerCase("", [5, 3], () => layers.globalAveragePooling1d({}))],
  globalAveragePooling2d: global2d(layers.globalAveragePooling2d),
  globalMaxPooling1d: [layerCase("", [5, 3], () => layers.globalMaxPooling1d({}))],
  globalMaxPooling2d: global2d(layers.globalMaxPooling2d),
  maxPooling1d: pool1d(layers.maxPooling1d),
  maxPooling2d: pool2d(layers.maxPooling2d),
  maxPooling3d: pool3d(layers.maxPooling3d),
};
