import * as tf from "@tensorflow/tfjs";

import { correctKernels } from "../src/index.js";
import type { Graph } from "../src/ir/graph.js";
import { runGraph } from "./run-graph.js";

/** A reproducible stream of numbers between -1 and 1. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Gives every weight of the model a value of its own, variances a positive one, so that no mistake stays hidden. */
export function randomizeWeights(model: tf.LayersModel, seed = 1): void {
  const random = makeRandom(seed);
  for (const weight of model.weights) {
    const isVariance = weight.name.includes("variance");
    const values = Float32Array.from({ length: tf.util.sizeFromShape(weight.shape as number[]) }, () =>
      isVariance ? 0.5 + Math.abs(random()) : random() * 0.7,
    );
    tf.tidy(() => {
      weight.write(tf.tensor(values, weight.shape as number[]));
    });
  }
}

/** Inputs for `batch` examples. Float inputs of an embedding are to be indices: `indexLimit` makes all of them such. */
export function makeInputs(model: tf.LayersModel, batch: number, indexLimit?: number): tf.Tensor[] {
  const random = makeRandom(batch * 7919);
  return model.inputs.map(({ shape, dtype }) => {
    const sizes = shape.map((size) => size ?? batch);
    const values = Float32Array.from({ length: tf.util.sizeFromShape(sizes) }, () =>
      indexLimit === undefined ? random() * 2 : Math.floor(((random() + 1) / 2) * indexLimit),
    );
    return tf.tensor(values, sizes, dtype);
  });
}

/** The largest difference between two tensors of one shape and dtype; NaN where either has one. */
export function maxDifference(a: tf.Tensor, b: tf.Tensor): number {
  if (a.dtype !== b.dtype || JSON.stringify(a.shape) !== JSON.stringify(b.shape)) {
    throw new TypeError(`${a.dtype} [${a.shape.join(", ")}] is not ${b.dtype} [${b.shape.join(", ")}]`);
  }
  const expected = b.dataSync();
  return Math.max(0, ...Array.from(a.dataSync(), (value, index) => Math.abs(value - expected[index]!)));
}

/** What the model computes in inference, with right kernels where those of the backend are wrong. */
export function runModel(
  model: tf.LayersModel,
  inputs: tf.Tensor[],
  onCorrected?: (reason: string) => void,
): tf.Tensor[] {
  const batchSize = inputs[0]?.shape[0] ?? 1;
  return [correctKernels(() => model.predict(inputs, { batchSize }), onCorrected)].flat();
}

/** The largest difference between graph and model over batch sizes that were never traced. */
export function compareWithModel(graph: Graph, model: tf.LayersModel, indexLimit?: number): number {
  const differences = [1, 5, 17].flatMap((batch) =>
    tf.tidy(() => {
      const inputs = makeInputs(model, batch, indexLimit);
      const expected = runModel(model, inputs);
      const found = runGraph(graph, inputs);
      if (expected.length !== found.length) throw new TypeError(`${found.length} outputs, not ${expected.length}`);
      return expected.map((tensor, index) => maxDifference(tensor, found[index]!));
    }),
  );
  return Math.max(...differences);
}
