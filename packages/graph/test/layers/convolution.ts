import * as tf from "@tensorflow/tfjs";

import { type CaseExtras, layerCase, type LayerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

type Convolution = Partial<Parameters<typeof layers.conv2d>[0]>;
type Make = (options: Convolution) => tf.layers.Layer;

/** One case for each choice of options, over an input of one shape. */
function choices(
  inputShape: readonly number[],
  make: Make,
  list: readonly (readonly [string, Convolution, CaseExtras?])[],
): readonly LayerCase[] {
  return list.map(([note, options, extras]) => layerCase(note, inputShape, () => make(options), extras));
}

const conv = (options: Convolution): Parameters<typeof layers.conv2d>[0] => ({ filters: 3, kernelSize: 3, ...options });
const causal = { throws: "The support for CAUSAL padding mode in conv1dWithBias is not implemented yet." };
const shifted = { corrected: "a window whose strides" };

/** Cases of the layers of `convolutional.js` and `convolutional_depthwise.js` that convolve. */
export const convolutionCases: LayerCases = {
  conv1d: choices([9, 3], (options) => layers.conv1d(conv(options)), [
    ["", {}],
    ["strides", { strides: 2, activation: "relu" }],
    ["padding: same", { padding: "same", kernelSize: 4 }],
    ["padding: same, strides", { padding: "same", strides: 3, kernelSize: 2 }],
    ["dilationRate", { dilationRate: 2, padding: "same" }],
    ["useBias: false", { useBias: false }],
    ["dataFormat: channelsFirst", { dataFormat: "channelsFirst", kernelSize: 2 }],
    ["padding: causal", { padding: "causal" }, causal],
  ]),
  conv2d: [
    ...choices([7, 6, 2], (options) => layers.conv2d(conv(options)), [
      ["", {}],
      ["strides", { strides: [2, 1] }],
      ["padding: same, strides", { kernelSize: [3, 2], strides: 2, padding: "same", activation: "elu" }],
      ["padding: same, strides longer than the kernel", { kernelSize: 1, strides: 2, padding: "same" }],
      ["dilationRate", { dilationRate: [2, 1], padding: "same" }],
      ["useBias: false", { useBias: false, kernelSize: 2 }],
      ["kernel of one", { kernelSize: 1 }],
    ]),
    layerCase("dataFormat: channelsFirst", [2, 6, 7], () =>
      layers.conv2d({ filters: 3, kernelSize: 2, dataFormat: "channelsFirst", padding: "same" }),
    ),
  ],
  conv3d: [
    ...choices([4, 5, 6, 2], (options) => layers.conv3d({ ...conv(options), kernelSize: [2, 3, 2] }), [
      ["", {}],
      ["padding: same, strides", { padding: "same", strides: [1, 2, 2], activation: "relu" }],
      ["useBias: false", { useBias: false }],
    ]),
    layerCase("dilationRate", [5, 6, 5, 2], () =>
      layers.conv3d({ filters: 2, kernelSize: 2, dilationRate: [2, 2, 2] }),
    ),
    layerCase("dataFormat: channelsFirst", [2, 4, 5, 6], () =>
      layers.conv3d({ filters: 3, kernelSize: 2, dataFormat: "channelsFirst" }),
    ),
    layerCase(
      "padding: same, strides longer than the kernel",
      [4, 4, 4, 2],
      () => layers.conv3d({ filters: 3, kernelSize: 1, strides: 2, padding: "same" }),
      shifted,
    ),
  ],
  conv2dTranspose: [
    ...choices([4, 5, 2], (options) => layers.conv2dTranspose(conv(options)), [
      ["", {}],
      ["strides", { strides: 2 }],
      ["padding: same, strides", { strides: [2, 3], padding: "same", activation: "relu" }],
      ["strides longer than the kernel", { strides: 3, kernelSize: 2 }],
      ["useBias: false", { useBias: false, padding: "same" }],
    ]),
    layerCase("dataFormat: channelsFirst", [2, 4, 5], () =>
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, dataFormat: "channelsFirst" }),
    ),
  ],
  conv3dTranspose: [
    ...choices([3, 4, 3, 2], (options) => layers.conv3dTranspose({ ...conv(options), kernelSize: [2, 3, 2] }), [
      ["", {}],
      ["strides", { strides: [1, 2, 2] }],
      ["padding: same, strides", { strides: 2, padding: "same", activation: "relu" }],
      ["useBias: false", { useBias: false, padding: "same" }],
    ]),
    layerCase(
      "padding: same, strides longer than the kernel",
      [3, 3, 3, 2],
      () => layers.conv3dTranspose({ filters: 3, kernelSize: 1, strides: 2, padding: "same" }),
      shifted,
    ),
    layerCase("dataFormat: channelsFirst", [2, 3, 4, 3], () =>
      layers.conv3dTranspose({ filters: 3, kernelSize: 2, strides: 2, dataFormat: "channelsFirst" }),
    ),
  ],
  separableConv2d: choices([6, 6, 3], (options) => layers.separableConv2d({ ...conv(options), depthMultiplier: 2 }), [
    ["depthMultiplier", { activation: "relu" }],
    ["strides, padding: same", { strides: 2, padding: "same" }],
    ["useBias: false", { useBias: false }],
    ["dilationRate", { dilationRate: 2, padding: "same" }],
    [
      "dataFormat: channelsFirst",
      { dataFormat: "channelsFirst" },
      { throws: "Operands could not be broadcast together" },
    ],
    [
      "dataFormat: channelsFirst, useBias: false",
      { dataFormat: "channelsFirst", useBias: false },
      { limit: "with channelsFirst the result has channels last, in TensorFlow.js too" },
    ],
  ]),
  depthwiseConv2d: [
    layerCase("", [6, 6, 3], () => layers.depthwiseConv2d({ kernelSize: 3 })),
    layerCase("depthMultiplier, strides", [6, 6, 3], () =>
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, activation: "relu6" }),
    ),
    layerCase("padding: same", [6, 5, 3], () => layers.depthwiseConv2d({ kernelSize: [3, 2], padding: "same" })),
    layerCase("useBias: false", [6, 6, 1], () =>
      layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, useBias: false }),
    ),
    layerCase("dilationRate", [7, 7, 2], () => layers.depthwiseConv2d({ kernelSize: 2, dilationRate: 2 })),
    layerCase("dataFormat: channelsFirst", [2, 6, 7], () =>
      layers.depthwiseConv2d({ kernelSize: 2, dataFormat: "channelsFirst" }),
    ),
  ],
};
