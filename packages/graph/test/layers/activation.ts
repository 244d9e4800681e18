import * as tf from "@tensorflow/tfjs";

import { layerCase, type LayerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

/** Every activation of tfjs-layers, by the name under which it is registered. */
export const activationNames = [
  "elu",
  "gelu",
  "gelu_new",
  "hardSigmoid",
  "linear",
  "logSoftmax",
  "mish",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "swish",
  "tanh",
] as const;

// The type of the public options lacks the name.
const named = (name: (typeof activationNames)[number]): "linear" => name as "linear";

const layersWithActivation: LayerCase[] = activationNames.flatMap((name) => [
  layerCase(name, [2, 5], () => layers.activation({ activation: named(name) })),
  layerCase(`${name} in dense`, [4], () => layers.dense({ units: 3, activation: named(name) })),
  layerCase(`${name} in conv2d`, [4, 4, 2], () =>
    layers.conv2d({ filters: 3, kernelSize: 2, activation: named(name) }),
  ),
]);

/** Cases of `activation` and of the layers of `advanced_activations.js`. */
export const activationCases: LayerCases = {
  activation: layersWithActivation,
  elu: [
    layerCase("", [5], () => layers.elu()),
    layerCase("alpha", [5], () => layers.elu({ alpha: 0.5 }), { throws: "Non-default alpha value" }),
  ],
  leakyReLU: [
    layerCase("", [5], () => layers.leakyReLU()),
    layerCase("alpha", [5], () => layers.leakyReLU({ alpha: 0.05 })),
  ],
  prelu: [
    layerCase("", [4, 5], () => layers.prelu()),
    layerCase("sharedAxes of one", [4, 5], () => layers.prelu({ sharedAxes: 1 })),
    layerCase("sharedAxes of an image", [4, 3, 5], () => layers.prelu({ sharedAxes: [1, 2] })),
    layerCase("sharedAxes of all", [4, 5], () => layers.prelu({ sharedAxes: [1, 2] })),
    layerCase("behind a convolution", [5, 5, 2], () => [
      layers.conv2d({ filters: 3, kernelSize: 2 }),
      layers.prelu({ sharedAxes: [1, 2] }),
    ]),
  ],
  reLU: [layerCase("", [5], () => layers.reLU()), layerCase("maxValue", [5], () => layers.reLU({ maxValue: 0.5 }))],
  softmax: [
    layerCase("", [5], () => layers.softmax()),
    layerCase("of rank 3", [4, 5], () => layers.softmax({ axis: 2 })),
    layerCase("axis", [4, 5], () => layers.softmax({ axis: 1 }), {
      throws: "Softmax along a non-last dimension is not yet supported",
    }),
  ],
  thresholdedReLU: [
    layerCase("", [5], () => layers.thresholdedReLU()),
    layerCase("theta", [5], () => layers.thresholdedReLU({ theta: 0.3 })),
  ],
};
