import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it, vi } from "vitest";

import { listLayers, listWeights } from "../src/capture/layer-tree.js";
import { bindWeights, captureFunction, captureModel, optimize, type WeightData } from "../src/index.js";
import { compareWithModel, maxDifference, randomizeWeights } from "./compare-model.js";
import { runGraph } from "./run-graph.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function build(): tf.LayersModel {
  return tf.sequential({
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 2], name: "conv" }),
      layers.batchNormalization({ name: "norm" }),
      layers.separableConv2d({ filters: 4, kernelSize: 2, name: "separable" }),
      layers.reLU({ name: "relu" }),
      layers.flatten({ name: "flatten" }),
      layers.dense({ units: 5, name: "hidden" }),
      layers.dense({ units: 5, name: "output", activation: "softmax" }),
    ],
  });
}

function readWeights(model: tf.LayersModel): Map<string, WeightData> {
  return new Map(
    listWeights(listLayers(model)).map(({ key, tensor }) => [
      key,
      { dtype: "float32", shape: tensor.shape, values: tensor.dataSync().slice() as Float32Array },
    ]),
  );
}

function findError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("bindWeights", () => {
  it("gives the graph of another checkpoint of the same topology, without running a kernel", () => {
    // At the start all biases and means are 0 and all gammas 1: a template that merged these would be wrong now.
    const template = captureModel(build());
    for (const seed of [1, 2]) {
      const trained = build();
      randomizeWeights(trained, seed);
      const weights = readWeights(trained);
      const runKernel = vi.spyOn(tf.engine(), "runKernel");
      const graph = bindWeights(template, weights);
      expect(runKernel).not.toHaveBeenCalled();
      runKernel.mockRestore();
      expect(compareWithModel(graph, trained)).toBeLessThanOrEqual(1e-6);
      expect(graph).toEqual(optimize(captureModel(trained).graph));
    }
  });

  it("has the same operations at every checkpoint, also at the first, where means are 0 and biases too", () => {
    const model = tf.sequential({
      layers: [
        layers.dense({ units: 4, activation: "relu", inputShape: [3] }),
        layers.batchNormalization(),
        layers.dense({ units: 2 }),
      ],
    });
    const template = captureModel(model);
    const listOps = (): string[] => bindWeights(template, readWeights(model)).nodes.map(({ op }) => op);
    const first = listOps();
    randomizeWeights(model);
    expect(first).toEqual(listOps());
  });

  it("leaves the template as it was", () => {
    const template = captureModel(build());
    const before = structuredClone(template);
    const trained = build();
    randomizeWeights(trained);
    bindWeights(template, readWeights(trained));
    expect(template).toEqual(before);
  });

  it("survives being stored as plain data", () => {
    const trained = build();
    randomizeWeights(trained);
    const template = structuredClone(captureModel(build()));
    expect(compareWithModel(bindWeights(template, readWeights(trained)), trained)).toBeLessThanOrEqual(1e-6);
  });

  it.each<[string, (weights: Map<string, WeightData>, weight: WeightData) => void, string]>([
    ["is missing", (weights) => weights.delete("hidden/kernel"), "nothing"],
    [
      "has another shape",
      (weights, weight) => weights.set("hidden/kernel", { ...weight, shape: [5, 36] }),
      "float32 [5, 36]",
    ],
    [
      "has another dtype",
      (weights, weight) => weights.set("hidden/kernel", { ...weight, dtype: "int32" }),
      "int32 [36, 5]",
    ],
    [
      "has too few values",
      (weights, weight) => weights.set("hidden/kernel", { ...weight, values: weight.values.slice(1) }),
      "179 values",
    ],
  ])("refuses weights of which one %s", (_, change, found) => {
    const model = build();
    const template = captureModel(model);
    const weights = readWeights(model);
    change(weights, weights.get("hidden/kernel")!);
    const error = findError(() => bindWeights(template, weights));
    expect(isCkptError(error, "WEIGHTS_MISMATCH") && error.details).toMatchObject({ weight: "hidden/kernel", found });
  });

  it("lists the weights a template reads, with the names they were saved under", () => {
    const input = tf.input({ shape: [3], name: "x" });
    const used = layers.dense({ units: 2, name: "used", useBias: false }).apply(input) as tf.SymbolicTensor;
    expect(captureModel(tf.model({ inputs: input, outputs: used })).weights).toEqual([
      { key: "used/kernel", savedName: "used/kernel", dtype: "float32", shape: [3, 2] },
    ]);
  });
});

// Zeros, ones and the like are constants that grow with the batch.
function pad(x: tf.Tensor): tf.Tensor {
  return tf.concat([x, tf.ones([x.shape[0] ?? 0, 2])], 1);
}

describe("captureFunction", () => {
  const signature = {
    inputs: [{ name: "x", dtype: "float32", shape: [null, 3] }],
    outputs: [{ name: "y", dtype: "float32", shape: [null, 2] }],
  } as const;

  it("captures a function with its named weights", () => {
    const weight = tf.randomNormal([3, 2], 0, 1, "float32", 1);
    const template = captureFunction((x) => tf.relu(tf.matMul(x, weight)), signature, { weights: { w: weight } });
    expect(template.weights).toEqual([{ key: "w", savedName: "w", dtype: "float32", shape: [3, 2] }]);
    expect(template.signature).toEqual(signature);
    const other = tf.randomNormal([3, 2], 0, 1, "float32", 2);
    const values = other.dataSync() as Float32Array;
    const graph = bindWeights(template, new Map([["w", { dtype: "float32", shape: [3, 2], values }]]));
    const x = tf.randomNormal([5, 3], 0, 1, "float32", 3);
    expect(maxDifference(runGraph(graph, [x])[0]!, tf.relu(tf.matMul(x, other)))).toBeLessThanOrEqual(1e-6);
  });

  it("takes the batch size from an input that has it, not from one of a fixed size", () => {
    const fixed = { name: "fixed", dtype: "float32", shape: [5, 3] } as const;
    const template = captureFunction((a, x) => tf.add(pad(x), tf.max(a)), {
      inputs: [fixed, signature.inputs[0]],
      outputs: [{ name: "y", dtype: "float32", shape: [null, 5] }],
    });
    const [a, x] = [tf.ones([5, 3]), tf.ones([7, 3])];
    expect(maxDifference(runGraph(template.graph, [a, x])[0]!, tf.add(pad(x), 1))).toBe(0);
  });

  it.each<[string, (x: tf.Tensor) => tf.Tensor | tf.Tensor[]]>([
    ["of another shape", (x) => x],
    ["of another dtype", (x) => tf.cast(x.slice([0, 0], [-1, 2]), "int32")],
    ["in another number", (x) => [x.slice([0, 0], [-1, 2]), x]],
  ])("refuses outputs %s", (_, compute) => {
    const error = findError(() => captureFunction((x) => compute(x), signature));
    expect(isCkptError(error, "SIGNATURE_MISMATCH")).toBe(true);
  });
});
