import * as tf from "@tensorflow/tfjs";

import { layerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

/** Cases of the layers of `noise.js`, which do nothing in inference. */
export const noiseCases: LayerCases = {
  alphaDropout: [layerCase("", [4, 3], () => layers.alphaDropout({ rate: 0.5 }))],
  gaussianDropout: [layerCase("", [4, 3], () => layers.gaussianDropout({ rate: 0.5 }))],
  gaussianNoise: [layerCase("", [4, 3], () => [layers.gaussianNoise({ stddev: 1 }), layers.dense({ units: 2 })])],
};
