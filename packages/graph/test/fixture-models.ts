import * as tf from "@tensorflow/tfjs";

import { Attention, Lambda } from "./custom-layers.js";

const { layers } = tf;

/** A model that every format is held against, here and in TensorFlow and ONNX Runtime under Python. */
export interface FixtureModel {
  readonly make: () => tf.LayersModel;
  /** Set where float inputs are whole numbers below this: they are looked up in a table. */
  readonly indexLimit?: number;
}

function apply(layer: tf.layers.Layer, input: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor;
}

const stack = (...list: tf.layers.Layer[]): tf.LayersModel => tf.sequential({ layers: list });
const pooled = (x: tf.SymbolicTensor): tf.SymbolicTensor =>
  apply(layers.globalAveragePooling2d({ dataFormat: "channelsLast" }), x);

/** A convolution without a bias, normalized and activated. */
function convolve(
  x: tf.SymbolicTensor,
  filters: number,
  options: { size?: number; strides?: number; activation?: "relu" | "relu6" | "swish" } = {},
): tf.SymbolicTensor {
  const { size = 3, strides = 1, activation = "relu" } = options;
  const convolved = apply(layers.conv2d({ filters, kernelSize: size, strides, padding: "same", useBias: false }), x);
  const normalized = apply(layers.batchNormalization(), convolved);
  return activation === "relu6"
    ? apply(layers.reLU({ maxValue: 6 }), normalized)
    : apply(layers.activation({ activation }), normalized);
}

function twoInputs(): tf.LayersModel {
  const [a, b] = [tf.input({ shape: [6], name: "a" }), tf.input({ shape: [6], name: "b" })];
  const shared = layers.dense({ units: 4, activation: "tanh" });
  const left = apply(layers.prelu(), apply(shared, a));
  const right = apply(layers.elu(), apply(shared, b));
  const first = apply(
    layers.dense({ units: 2, activation: "softmax", name: "classes" }),
    apply(layers.concatenate(), [left, right]),
  );
  return tf.model({ inputs: [a, b], outputs: [apply(layers.add({ name: "sum" }), [left, right]), first] });
}

function residual(): tf.LayersModel {
  const input = tf.input({ shape: [8, 8, 3] });
  const stem = convolve(input, 4);
  const sum = apply(layers.add(), [convolve(stem, 4), stem]);
  const small = apply(layers.averagePooling2d({ poolSize: 2, padding: "same" }), sum);
  const wide = apply(layers.concatenate(), [small, convolve(small, 3)]);
  return tf.model({ inputs: input, outputs: apply(layers.dense({ units: 3 }), pooled(wide)) });
}

/** As MobileNet's first version. */
function depthwiseSeparable(): tf.LayersModel {
  const input = tf.input({ shape: [16, 16, 3] });
  let x = convolve(input, 4, { strides: 2, activation: "relu6" });
  for (const [filters, strides] of [
    [6, 1],
    [8, 2],
  ] as const) {
    const padding = [
      [0, 1],
      [0, 1],
    ] as [[number, number], [number, number]];
    const padded = strides === 2 ? apply(layers.zeroPadding2d({ padding }), x) : x;
    x = apply(
      layers.depthwiseConv2d({ kernelSize: 3, strides, padding: strides === 2 ? "valid" : "same", useBias: false }),
      padded,
    );
    x = apply(layers.reLU({ maxValue: 6 }), apply(layers.batchNormalization(), x));
    x = convolve(x, filters, { size: 1, activation: "relu6" });
  }
  x = apply(layers.conv2d({ filters: 5, kernelSize: 1 }), apply(layers.reshape({ targetShape: [1, 1, 8] }), pooled(x)));
  x = apply(layers.softmax(), apply(layers.reshape({ targetShape: [5] }), x));
  return tf.model({ inputs: input, outputs: x });
}

/** As MobileNet's second version. */
function invertedResidual(): tf.LayersModel {
  const input = tf.input({ shape: [12, 12, 3] });
  const stem = convolve(input, 4, { activation: "relu6" });
  const wide = convolve(stem, 12, { size: 1, activation: "relu6" });
  const deep = apply(layers.depthwiseConv2d({ kernelSize: 3, padding: "same", useBias: false }), wide);
  const active = apply(layers.reLU({ maxValue: 6 }), apply(layers.batchNormalization(), deep));
  const narrow = apply(layers.conv2d({ filters: 4, kernelSize: 1, useBias: false }), active);
  const sum = apply(layers.add(), [stem, apply(layers.batchNormalization(), narrow)]);
  return tf.model({ inputs: input, outputs: apply(layers.dense({ units: 3 }), pooled(sum)) });
}

/** An image in, an image of class probabilities out. */
function encoderDecoder(): tf.LayersModel {
  const input = tf.input({ shape: [8, 8, 2] });
  const fine = convolve(input, 4);
  const coarse = convolve(apply(layers.maxPooling2d({ poolSize: 2 }), fine), 6);
  const deep = convolve(apply(layers.maxPooling2d({ poolSize: 2 }), coarse), 8);
  const up = apply(layers.upSampling2d({ size: [2, 2] }), deep);
  const middle = convolve(apply(layers.concatenate(), [up, coarse]), 6);
  const whole = apply(layers.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 2 }), middle);
  const last = convolve(apply(layers.concatenate(), [whole, fine]), 4);
  const classes = apply(layers.conv2d({ filters: 3, kernelSize: 1, activation: "softmax" }), last);
  return tf.model({ inputs: input, outputs: classes });
}

/** Channels weighed by what the whole image says, through dense layers in one block and convolutions in the other. */
function squeezeAndExcite(): tf.LayersModel {
  const input = tf.input({ shape: [8, 8, 3] });
  let x = convolve(input, 8, { activation: "swish" });
  const squeezed = apply(layers.reshape({ targetShape: [1, 1, 8] }), pooled(x));
  const hidden = apply(layers.dense({ units: 2, activation: "relu" }), squeezed);
  x = apply(layers.multiply(), [x, apply(layers.dense({ units: 8, activation: "sigmoid" }), hidden)]);
  x = convolve(x, 8, { strides: 2, activation: "swish" });
  const again = apply(layers.reshape({ targetShape: [1, 1, 8] }), pooled(x));
  const small = apply(layers.conv2d({ filters: 2, kernelSize: 1, activation: "relu" }), again);
  x = apply(layers.multiply(), [x, apply(layers.conv2d({ filters: 8, kernelSize: 1, activation: "sigmoid" }), small)]);
  return tf.model({ inputs: input, outputs: apply(layers.dense({ units: 3 }), pooled(x)) });
}

/** Channels in front of height and width. */
function channelsFirst(): tf.LayersModel {
  const dataFormat = "channelsFirst";
  const convolution = { filters: 4, kernelSize: 3, padding: "same", dataFormat } as const;
  return stack(
    layers.conv2d({ ...convolution, activation: "relu", inputShape: [3, 8, 8] }),
    layers.maxPooling2d({ poolSize: 2, dataFormat }),
    layers.conv2d({ ...convolution, useBias: false }),
    layers.reLU(),
    layers.conv2d(convolution),
    layers.globalAveragePooling2d({ dataFormat }),
    layers.dense({ units: 3 }),
  );
}

function mix(x: tf.Tensor): tf.Tensor {
  const [left, right] = tf.split(x, 2, 3) as [tf.Tensor, tf.Tensor];
  const [, part] = tf.split(tf.reverse(right, [2]), [1, 5], 1) as [tf.Tensor, tf.Tensor];
  const low = tf.sub(part, tf.min(part, 3, true));
  return tf.concat([tf.tile(low, [1, 2, 1, 1]), tf.slice(left, [0, 1, 0, 0], [-1, 5, 6, 2])], 1);
}

/** What there are no layers for, on images that are held with channels first in ONNX. */
function betweenConvolutions(): tf.LayersModel {
  const input = tf.input({ shape: [6, 6, 2] });
  const mixed = new Lambda(mix, ([batch]) => [batch ?? null, 15, 6, 2], "mix");
  const best = new Lambda(
    (x) => tf.cast(tf.argMax(x, 3), "float32"),
    (shape) => shape.slice(0, -1),
    "best",
  );
  const convolved = apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: "same" }), input);
  const again = apply(layers.conv2d({ filters: 3, kernelSize: 2 }), apply(mixed, convolved));
  return tf.model({ inputs: input, outputs: apply(best, again) });
}

const wave = (shape: [number, number, number, number]): tf.Tensor4D =>
  tf.sin(tf.range(0, tf.util.sizeFromShape(shape))).reshape(shape);

/** Padding by a number, which no layer has, before and behind a zero padding that is one. */
function paddedByNumbers(): tf.LayersModel {
  const input = tf.input({ shape: [6, 6, 2] });
  const deep = new Lambda(
    (x) => tf.depthwiseConv2d(x as tf.Tensor4D, wave([3, 3, 2, 1]), 1, 2),
    ([batch]) => [batch ?? null, 8, 8, 2],
    "deep",
  );
  const wide = new Lambda(
    (x) => tf.conv2d(x as tf.Tensor4D, wave([3, 3, 2, 3]), 2, 1),
    ([batch]) => [batch ?? null, 6, 6, 3],
    "wide",
  );
  const padded = apply(layers.zeroPadding2d({ padding: [2, 1] }), apply(deep, input));
  return tf.model({ inputs: input, outputs: apply(layers.conv2d({ filters: 2, kernelSize: 2 }), apply(wide, padded)) });
}

const toFloat = (name: string): Lambda => new Lambda((x) => tf.cast(x, "float32"), undefined, name);

/** An int32 and a bool input. */
function otherDtypes(): tf.LayersModel {
  const counts = tf.input({ shape: [3], name: "counts", dtype: "int32" });
  const flags = tf.input({ shape: [3], name: "flags", dtype: "bool" });
  const joined = apply(layers.concatenate(), [apply(toFloat("counted"), counts), apply(toFloat("flagged"), flags)]);
  return tf.model({ inputs: [counts, flags], outputs: apply(layers.dense({ units: 2 }), joined) });
}

function attention(): tf.LayersModel {
  const input = tf.input({ shape: [5, 6] });
  const attended = apply(new Attention({ units: 6 }), input);
  const normalized = apply(layers.layerNormalization(), apply(layers.add(), [input, attended]));
  return tf.model({ inputs: input, outputs: apply(layers.dense({ units: 4, activation: "gelu" }), normalized) });
}

/** Convolutional networks that take an image, with the number of times that ONNX has to transpose one. */
export const imageModels: Readonly<Record<string, FixtureModel & { readonly transposeCount: number }>> = {
  // One on the way in; none where the image has one channel, whose place says nothing.
  "a residual network": { make: residual, transposeCount: 1 },
  "depthwise separable convolutions": { make: depthwiseSeparable, transposeCount: 1 },
  "an inverted residual": { make: invertedResidual, transposeCount: 1 },
  "squeeze and excitation": { make: squeezeAndExcite, transposeCount: 1 },
  // One more on the way out, as an image.
  "an encoder and decoder with skips": { make: encoderDecoder, transposeCount: 2 },
  "convolutions with channels first": { make: channelsFirst, transposeCount: 0 },
  "split, reversed, repeated and cut images": { make: betweenConvolutions, transposeCount: 1 },
  "a flattened image of one channel": {
    make: () =>
      stack(
        layers.conv2d({ filters: 4, kernelSize: 3, activation: "selu", inputShape: [9, 9, 1] }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dense({ units: 3, activation: "softmax" }),
      ),
    transposeCount: 1,
  },
  "a one-dimensional convolution": {
    make: () =>
      stack(
        layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2, activation: "relu", inputShape: [16, 3] }),
        layers.maxPooling1d({ poolSize: 2 }),
        layers.conv1d({ filters: 5, kernelSize: 2 }),
        layers.batchNormalization(),
        layers.globalMaxPooling1d(),
      ),
    transposeCount: 1,
  },
  "normalized, cropped and resized images": {
    make: () =>
      stack(
        layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", inputShape: [8, 8, 2] }),
        layers.layerNormalization(),
        layers.prelu({ sharedAxes: [1, 2] }),
        layers.cropping2D({
          cropping: [
            [1, 1],
            [2, 0],
          ],
        }),
        layers.upSampling2d({ size: [2, 2], interpolation: "bilinear" }),
        layers.separableConv2d({ filters: 3, kernelSize: 3, depthMultiplier: 2 }),
        layers.leakyReLU(),
        layers.averagePooling2d({ poolSize: 2 }),
        layers.globalAveragePooling2d({ dataFormat: "channelsLast" }),
      ),
    transposeCount: 1,
  },
};

/** All of them. */
export const fixtureModels: Readonly<Record<string, FixtureModel>> = {
  ...imageModels,
  "dense layers": {
    make: () =>
      stack(
        layers.dense({ units: 16, activation: "relu", inputShape: [8] }),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ units: 4, activation: "softmax" }),
      ),
  },
  "two inputs and two outputs": { make: twoInputs },
  "integer and boolean inputs": { make: otherDtypes },
  "convolutions padded by numbers": { make: paddedByNumbers },
  "an autoencoder": {
    make: () =>
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
  },
  "normalization of rank 2": { make: () => stack(layers.batchNormalization({ inputShape: [5] })) },
  "normalization of rank 3": { make: () => stack(layers.batchNormalization({ inputShape: [4, 5] })) },
  "normalization behind an activation": {
    make: () =>
      stack(
        layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [6, 6, 2] }),
        layers.batchNormalization(),
      ),
  },
  "stacked LSTMs": {
    make: () =>
      stack(
        layers.lstm({ units: 5, returnSequences: true, inputShape: [4, 3] }),
        layers.lstm({ units: 4 }),
        layers.dense({ units: 2 }),
      ),
  },
  "a GRU and a simple recurrent layer": {
    make: () =>
      stack(
        layers.gru({ units: 5, returnSequences: true, inputShape: [4, 3] }),
        layers.simpleRNN({ units: 4, goBackwards: true }),
      ),
  },
  "an embedding with a bidirectional GRU": {
    make: () =>
      stack(
        layers.embedding({ inputDim: 10, outputDim: 4, maskZero: true, inputLength: 5 }),
        layers.bidirectional({ layer: layers.gru({ units: 3 }), mergeMode: "concat" }),
      ),
    indexLimit: 10,
  },
  "a custom attention layer": { make: attention },
};
