import * as tf from "@tensorflow/tfjs";

import { type CaseExtras, joinCase, layerCase, type LayerCases } from "./layer-case.js";

const { layers } = tf;

const unchecked: CaseExtras = {
  indexLimit: 4,
  limit: "a category out of range is no error in the frozen model: it sets no element",
};
// In a model a layer is called with a list, which these pass on to a function that takes a tensor.
const unrunnable = { throws: "x must be rank 3 or 4, but got rank 1" };
const firstCrop = {
  limit:
    "as the first layer it changes the shape that the model takes to its own, in TensorFlow.js: put a reshape before",
};

/**
 * A layer behind one that gives it a shape of its own: `computeOutputShape` of these layers writes into the shape it is
 * given, which for a first layer is that of the model's input.
 */
function behindReshape(shape: readonly number[], layer: tf.layers.Layer): readonly tf.layers.Layer[] {
  return [layers.reshape({ targetShape: [...shape] }), layer];
}

type Encoding = NonNullable<Parameters<typeof layers.categoryEncoding>[0]["outputMode"]>;

function encode(outputMode: Encoding): tf.layers.Layer {
  return layers.categoryEncoding({ numTokens: 4, outputMode });
}

/** Cases of the layers of `preprocessing/`. */
export const preprocessingCases: LayerCases = {
  rescaling: [
    layerCase("", [3, 4, 2], () => layers.rescaling({ scale: 1 / 255 })),
    layerCase("offset", [3], () => layers.rescaling({ scale: 2, offset: -1 })),
    joinCase("of int32", [{ shape: [3], dtype: "int32" }], () => layers.rescaling({ scale: 2, offset: 1 })),
  ],
  resizing: (["bilinear", "nearest"] as const).flatMap((interpolation) =>
    [false, true].map((cropToAspectRatio) =>
      layerCase(
        `interpolation: ${interpolation}${cropToAspectRatio ? ", cropToAspectRatio" : ""}`,
        [5, 6, 2],
        () => layers.resizing({ height: 7, width: 4, interpolation, cropToAspectRatio }),
        unrunnable,
      ),
    ),
  ),
  centerCrop: [
    layerCase("", [8, 7, 3], () => behindReshape([8, 7, 3], layers.centerCrop({ height: 5, width: 4 })), firstCrop),
    layerCase("one column less", [6, 6, 2], () => behindReshape([6, 6, 2], layers.centerCrop({ height: 3, width: 5 }))),
    layerCase("of the whole", [4, 4, 1], () => layers.centerCrop({ height: 4, width: 4 })),
    layerCase("to one row", [6, 6, 2], () => behindReshape([6, 6, 2], layers.centerCrop({ height: 1, width: 2 }))),
    layerCase(
      "larger than the image",
      [4, 5, 2],
      () => behindReshape([4, 5, 2], layers.centerCrop({ height: 6, width: 8 })),
      unrunnable,
    ),
    {
      note: "of int32",
      build: () => {
        const inputs = tf.input({ shape: [90], dtype: "int32" });
        const images = layers.reshape({ targetShape: [6, 5, 3] }).apply(inputs);
        return tf.model({
          inputs,
          outputs: layers.centerCrop({ height: 2, width: 3 }).apply(images) as tf.SymbolicTensor,
        });
      },
    },
  ],
  categoryEncoding: [
    layerCase("", [3], () => behindReshape([3], encode("multiHot")), unchecked),
    layerCase("outputMode: oneHot", [1], () => behindReshape([1], encode("oneHot")), unchecked),
    layerCase("outputMode: count", [3], () => behindReshape([3], encode("count")), unchecked),
    layerCase("outputMode: int", [3], () => behindReshape([3], encode("int")), unchecked),
    layerCase("outputMode: oneHot as the first layer", [1], () => encode("oneHot"), {
      indexLimit: 4,
      throws: "maximum output rank is 2",
    }),
    layerCase("outputMode: oneHot of several", [3], () => behindReshape([3], encode("oneHot")), {
      indexLimit: 4,
      throws: "maximum output rank is 2",
    }),
    layerCase("outputMode: tfIdf", [3], () => behindReshape([3], encode("tfIdf")), {
      indexLimit: 4,
      throws: "weights must be provided",
    }),
    joinCase("of int32", [{ shape: [4], dtype: "int32" }], () => encode("multiHot"), unchecked),
  ],
  randomWidth: [layerCase("", [4, 5, 2], () => layers.randomWidth({ factor: 0.5, seed: 3 }), unrunnable)],
};
