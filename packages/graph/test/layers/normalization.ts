import * as tf from "@tensorflow/tfjs";

import { layerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;
const otherAxis = { corrected: "batch normalization over an axis other than the last" };

/** Cases of the layers of `normalization.js`. */
export const normalizationCases: LayerCases = {
  batchNormalization: [
    layerCase("of rank 2", [5], () => layers.batchNormalization()),
    layerCase("of rank 3", [4, 5], () => layers.batchNormalization()),
    layerCase("of rank 4", [4, 4, 3], () => layers.batchNormalization({ epsilon: 0.01 })),
    layerCase("scale: false", [4, 5], () => layers.batchNormalization({ scale: false })),
    layerCase("center: false", [4, 4, 3], () => layers.batchNormalization({ center: false })),
    layerCase("scale: false, center: false", [5], () => layers.batchNormalization({ scale: false, center: false })),
    layerCase("axis: 1 of rank 3", [4, 5], () => layers.batchNormalization({ axis: 1 }), otherAxis),
    layerCase("axis: 1 of rank 4", [3, 4, 5], () => layers.batchNormalization({ axis: 1 }), otherAxis),
    layerCase(
      "axis: 2 of rank 4, scale: false",
      [3, 4, 5],
      () => layers.batchNormalization({ axis: 2, scale: false }),
      otherAxis,
    ),
    layerCase("behind a convolution", [5, 5, 2], () => [
      layers.conv2d({ filters: 3, kernelSize: 2 }),
      layers.batchNormalization(),
    ]),
    layerCase(
      "axis: 1 behind a convolution with channelsFirst",
      [2, 5, 5],
      () => [
        layers.conv2d({ filters: 3, kernelSize: 2, dataFormat: "channelsFirst" }),
        layers.batchNormalization({ axis: 1 }),
      ],
      otherAxis,
    ),
    layerCase("of rank 5", [2, 3, 4, 5], () => layers.batchNormalization(), {
      throws: "batchNormalization is not implemented for array of rank 5 yet",
    }),
  ],
  layerNormalization: [
    layerCase("of rank 2", [5], () => layers.layerNormalization()),
    layerCase("of rank 3", [4, 5], () => layers.layerNormalization()),
    layerCase("of rank 4", [3, 4, 5], () => layers.layerNormalization({ epsilon: 0.01 })),
    layerCase("scale: false", [5], () => layers.layerNormalization({ scale: false })),
    layerCase("center: false", [5], () => layers.layerNormalization({ center: false })),
    layerCase("axis of two", [4, 5], () => layers.layerNormalization({ axis: [1, 2] })),
    layerCase("axis: 1", [4, 5], () => layers.layerNormalization({ axis: 1 })),
  ],
};
