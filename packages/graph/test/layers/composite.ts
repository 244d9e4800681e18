import * as tf from "@tensorflow/tfjs";

import { Attention, Lambda } from "../custom-layers.js";
import type { LayerCase } from "./layer-case.js";

const { layers } = tf;

function apply(layer: tf.layers.Layer, input: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor;
}

function encoder(): tf.LayersModel {
  return tf.sequential({
    layers: [
      layers.dense({ units: 5, activation: "tanh", inputShape: [4] }),
      layers.batchNormalization(),
      layers.leakyReLU(),
    ],
  });
}

/** Models whose layers are put together in ways that a chain of layers does not show. */
export const compositeCases: readonly LayerCase[] = [
  {
    note: "several inputs and outputs",
    build: () => {
      const image = tf.input({ shape: [6, 6, 1], name: "image" });
      const extra = tf.input({ shape: [3], name: "extra" });
      const flat = apply(layers.flatten(), apply(layers.conv2d({ filters: 2, kernelSize: 3 }), image));
      const joined = apply(layers.concatenate(), [flat, apply(layers.prelu(), extra)]);
      const classes = apply(layers.dense({ units: 4, activation: "softmax", name: "classes" }), joined);
      const score = apply(layers.dense({ units: 1, name: "score" }), joined);
      return tf.model({ inputs: [extra, image], outputs: [classes, score] });
    },
  },
  {
    note: "a model inside, and a layer twice",
    build: () => {
      const inputs = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
      const inner = encoder();
      const shared = layers.dense({ units: 2 });
      const outputs = inputs.map((input) => apply(shared, apply(inner, input)));
      return tf.model({ inputs, outputs: apply(layers.multiply(), outputs) });
    },
  },
  {
    note: "attention",
    build: () => {
      const input = tf.input({ shape: [5, 6] });
      const attended = apply(new Attention({ units: 6 }), input);
      const normalized = apply(layers.layerNormalization(), apply(layers.add(), [input, attended]));
      return tf.model({ inputs: input, outputs: apply(layers.globalAveragePooling1d({}), normalized) });
    },
  },
  {
    note: "inputs and outputs of int32 and bool",
    build: () => {
      const numbers = tf.input({ shape: [4], dtype: "int32", name: "numbers" });
      const flags = tf.input({ shape: [4], dtype: "bool", name: "flags" });
      const even = new Lambda((x) => tf.equal(tf.mod(x, tf.scalar(2, "int32")), tf.scalar(0, "int32")));
      const largest = new Lambda(
        (x) => tf.argMax(x, 1),
        ([batch]) => [batch ?? null],
      );
      const negated = new Lambda((x) => tf.logicalNot(x));
      return tf.model({
        inputs: [numbers, flags],
        outputs: [apply(even, numbers), apply(largest, numbers), apply(negated, flags)],
      });
    },
    indexLimit: 2,
  },
  {
    note: "a residual block with channels first",
    build: () => {
      const input = tf.input({ shape: [3, 6, 6] });
      const options = { filters: 3, kernelSize: 3, padding: "same", dataFormat: "channelsFirst" } as const;
      const convolved = apply(layers.reLU(), apply(layers.conv2d(options), input));
      const sum = apply(layers.add(), [input, apply(layers.conv2d(options), convolved)]);
      const pooled = apply(layers.globalAveragePooling2d({ dataFormat: "channelsFirst" }), sum);
      return tf.model({ inputs: input, outputs: pooled });
    },
  },
  {
    note: "an encoder and a decoder of volumes",
    build: () =>
      tf.sequential({
        layers: [
          layers.conv3d({ filters: 3, kernelSize: 3, strides: 2, padding: "same", inputShape: [4, 6, 4, 1] }),
          layers.maxPooling3d({ poolSize: [1, 2, 1], strides: [1, 2, 1], padding: "same" }),
          layers.leakyReLU(),
          layers.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
          layers.averagePooling3d({ poolSize: 2 }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ],
      }),
  },
];
