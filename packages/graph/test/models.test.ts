import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureModel, type Graph, optimize, validateGraph } from "../src/index.js";
import { compareWithModel, makeInputs, maxDifference, randomizeWeights } from "./compare-model.js";
import { Attention, Lambda } from "./custom-layers.js";
import { runGraph } from "./run-graph.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function apply(layer: tf.layers.Layer, input: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor;
}

function check(model: tf.LayersModel): Graph {
  randomizeWeights(model);
  const { graph } = captureModel(model);
  expect(compareWithModel(graph, model)).toBeLessThanOrEqual(1e-6);
  const optimized = optimize(graph);
  validateGraph(optimized);
  expect(compareWithModel(optimized, model)).toBeLessThanOrEqual(1e-6);
  return optimized;
}

const countOps = (graph: Graph, op: string): number => graph.nodes.filter((node) => node.op === op).length;

describe("a captured model", () => {
  it("is a plain chain of operations for a dense network", () => {
    const graph = check(
      tf.sequential({
        layers: [
          layers.dense({ units: 16, activation: "relu", inputShape: [8] }),
          layers.dropout({ rate: 0.5 }),
          layers.dense({ units: 4, activation: "softmax" }),
        ],
      }),
    );
    const ops = graph.nodes.map((node) => node.op).filter((op) => op !== "Const");
    expect(ops).toEqual(["Placeholder", "MatMul", "BiasAdd", "Relu", "MatMul", "BiasAdd", "Softmax"]);
  });

  it("has no batch normalization left in a convolutional network", () => {
    const graph = check(
      tf.sequential({
        layers: [
          layers.conv2d({ filters: 6, kernelSize: 3, padding: "same", inputShape: [8, 8, 1] }),
          layers.batchNormalization(),
          layers.activation({ activation: "relu" }),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, useBias: false }),
          layers.batchNormalization(),
          layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2 }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.flatten(),
          layers.dense({ units: 7 }),
          layers.batchNormalization(),
          layers.dense({ units: 3, activation: "softmax" }),
        ],
      }),
    );
    expect(countOps(graph, "Mul") + countOps(graph, "AddV2")).toBe(0);
    expect(countOps(graph, "Reshape")).toBe(1);
  });

  it("keeps a batch normalization that stands behind an activation", () => {
    const graph = check(
      tf.sequential({
        layers: [
          layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [6, 6, 2] }),
          layers.batchNormalization(),
        ],
      }),
    );
    const ops = graph.nodes.map((node) => node.op).filter((op) => op !== "Const");
    expect(ops).toEqual(["Placeholder", "Conv2D", "BiasAdd", "Relu", "Mul", "AddV2"]);
  });

  it("normalizes a layer without losing digits to a large mean", () => {
    const input = tf.input({ shape: [5] });
    const shifted = apply(new Lambda((x) => tf.add(x, 10_000)), input);
    check(tf.model({ inputs: input, outputs: apply(layers.layerNormalization(), shifted) }));
  });

  it("has inputs and outputs in the model's order and under its names", () => {
    const image = tf.input({ shape: [6, 6, 1], name: "image" });
    const extra = tf.input({ shape: [3], name: "extra" });
    const flat = apply(layers.flatten(), apply(layers.conv2d({ filters: 2, kernelSize: 3 }), image));
    const joined = apply(layers.concatenate(), [flat, apply(layers.prelu({}), extra)]);
    const second = apply(layers.dense({ units: 1, name: "score" }), joined);
    const first = apply(layers.dense({ units: 4, activation: "softmax", name: "classes" }), joined);
    const model = tf.model({ inputs: [extra, image], outputs: [first, second] });
    check(model);
    const { signature } = captureModel(model);
    expect(signature).toEqual({
      inputs: [
        { name: "extra", dtype: "float32", shape: [null, 3] },
        { name: "image", dtype: "float32", shape: [null, 6, 6, 1] },
      ],
      outputs: [
        { name: "classes", dtype: "float32", shape: [null, 4] },
        { name: "score", dtype: "float32", shape: [null, 1] },
      ],
    });
  });

  it("may hold custom layers and layer normalization, whose tiles grow with the batch", () => {
    const input = tf.input({ shape: [5, 6] });
    const attended = apply(new Attention({ name: "attention", units: 6 }), input);
    const normalized = apply(layers.layerNormalization(), apply(layers.add(), [input, attended]));
    check(tf.model({ inputs: input, outputs: apply(layers.globalAveragePooling1d({}), normalized) }));
  });

  it("may hold models, and a layer twice", () => {
    const inner = tf.sequential({
      name: "encoder",
      layers: [
        layers.dense({ units: 5, activation: "tanh", inputShape: [4], name: "first" }),
        layers.batchNormalization({ name: "norm" }),
      ],
    });
    const inputs = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
    const encoded = inputs.map((input) => apply(inner, input));
    const shared = layers.dense({ units: 2, name: "shared" });
    const outputs = encoded.map((value) => apply(shared, value));
    const model = tf.model({ inputs, outputs: apply(layers.add(), outputs) });
    const graph = check(model);
    expect(captureModel(model).weights.map((weight) => weight.key)).toEqual([
      "encoder/first/kernel",
      "encoder/first/bias",
      "encoder/norm/gamma",
      "encoder/norm/beta",
      "encoder/norm/moving_mean",
      "encoder/norm/moving_variance",
      "shared/kernel",
      "shared/bias",
    ]);
    expect(graph.nodes.find((node) => node.op === "Tanh")?.layer).toBe("encoder/first");
  });

  it("may give an input back", () => {
    const input = tf.input({ shape: [3], name: "x" });
    check(tf.model({ inputs: input, outputs: [apply(layers.dense({ units: 2 }), input), input] }));
  });

  it("keeps each recurrent layer one node, and tells several outputs of one layer apart", () => {
    const input = tf.input({ shape: [4, 3] });
    const states = layers.lstm({ units: 2, returnState: true, name: "memory" }).apply(input) as tf.SymbolicTensor[];
    const both = layers.bidirectional({ layer: layers.gru({ units: 2 }), mergeMode: "concat" });
    const model = tf.model({ inputs: input, outputs: [...states.slice(1), apply(both, input)] });
    expect(countOps(check(model), "Scan")).toBe(3);
    const names = captureModel(model).signature.outputs.map((output) => output.name);
    expect(names.slice(0, 2)).toEqual(["memory", "memory_1"]);
  });

  it("keeps a fixed batch size", () => {
    const model = tf.sequential({ layers: [layers.dense({ units: 3, batchInputShape: [4, 2] })] });
    const { graph, signature } = captureModel(model);
    expect(signature.inputs[0]?.shape).toEqual([4, 2]);
    const inputs = makeInputs(model, 4);
    const expected = model.predict(inputs[0]!) as tf.Tensor;
    expect(maxDifference(runGraph(graph, inputs)[0]!, expected)).toBeLessThanOrEqual(1e-6);
  });

  it("normalizes along another axis than the last as the formula says, where the backend does not", () => {
    const input = tf.input({ shape: [3, 2, 2] });
    const model = tf.model({ inputs: input, outputs: apply(layers.batchNormalization({ axis: 1 }), input) });
    randomizeWeights(model);
    const { graph } = captureModel(model);
    tf.tidy(() => {
      const inputs = makeInputs(model, 5);
      const [gamma, beta, mean, variance] = model.weights.map((weight) => tf.reshape(weight.read(), [1, 3, 1, 1]));
      const deviation = tf.sqrt(tf.add(variance!, 1e-3));
      const expected = tf.add(tf.mul(tf.div(tf.sub(inputs[0]!, mean!), deviation), gamma!), beta!);
      for (const candidate of [graph, optimize(graph)]) {
        expect(maxDifference(runGraph(candidate, inputs)[0]!, expected)).toBeLessThanOrEqual(1e-6);
      }
    });
  });

  it("keeps a residual sum of two branches a sum", () => {
    const input = tf.input({ shape: [6, 6, 2] });
    const convolved = apply(layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", useBias: false }), input);
    const model = tf.model({ inputs: input, outputs: apply(layers.add(), [convolved, input]) });
    const graph = check(model);
    expect(countOps(graph, "BiasAdd")).toBe(0);
    expect(countOps(graph, "AddV2")).toBe(1);
  });

  it("needs no computed sizes to take every example", () => {
    const input = tf.input({ shape: [6] });
    const layer = new Lambda(
      (x) => tf.stridedSlice(x.slice([0, 1]), [0, 0], [x.shape[0] ?? 0, 5], [1, 2]),
      ([batch]) => [batch ?? null, 3],
    );
    expect(countOps(check(tf.model({ inputs: input, outputs: apply(layer, input) })), "Shape")).toBe(0);
  });

  it.each<[string, number[], (x: tf.Tensor) => tf.Tensor, ((shape: tf.Shape) => tf.Shape) | undefined]>([
    ["a mean over the batch", [3], (x) => tf.sub(x, tf.mean(x, 0, true)), undefined],
    ["a product of all pairs in the batch", [3], (x) => tf.matMul(x, x, false, true), () => [null, null]],
    ["a tile over the batch", [3], (x) => tf.tile(x, [2, 1]), undefined],
    ["zeros of the batch's size", [3], (x) => tf.concat([x, tf.zeros([x.shape[0], 2])], 1), ([b]) => [b!, 5]],
    ["all examples but the first", [3], (x) => tf.concat([x.slice([1]), x.slice([0], [1])]), undefined],
    [
      "all examples but the last",
      [3],
      (x) => tf.concat([x.slice([x.shape[0] - 1]), x.slice([0], [x.shape[0] - 1])]),
      undefined,
    ],
    [
      "a constant for each position",
      [2, 3],
      (x) =>
        tf.add(
          x,
          tf.tensor2d([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        ),
      undefined,
    ],
    [
      "a shape with the batch in it twice",
      [3],
      (x) => tf.matMul(x, x, false, true).expandDims(2),
      () => [null, null, 1],
    ],
    [
      "a strided slice that leaves the last example",
      [3],
      (x) => tf.sub(x, tf.stridedSlice(x, [0], [x.shape[0] - 1], [1]).sum(0)),
      undefined,
    ],
    ["a strided slice", [6], (x) => tf.stridedSlice(x, [0, 1], [x.shape[0], 6], [1, 2]), ([b]) => [b!, 3]],
    [
      "split and stack",
      [6],
      (x) =>
        tf.stack(
          tf.split(x, [1, 2, 3], 1).map((y) => tf.sum(y, 1)),
          1,
        ),
      ([b]) => [b!, 3],
    ],
    ["unstack and reverse", [4], (x) => tf.addN(tf.unstack(tf.reverse(tf.stack([x, tf.neg(x), x], 0), 0))), undefined],
    ["a mask", [4], (x) => tf.where(tf.logicalAnd(x.greater(0), x.less(0.5)), x, tf.square(x)), undefined],
    ["top k", [6], (x) => tf.topk(x, 3).values, ([b]) => [b!, 3]],
    ["the index of the largest", [6], (x) => tf.oneHot(tf.argMax(x, -1), 6).toFloat(), undefined],
    ["a running sum", [6], (x) => tf.cumsum(x, 1, true), undefined],
    ["an einsum", [3, 4], (x) => tf.einsum("bij,bkj->bik", x, x), ([b]) => [b!, 3, 3]],
    [
      "a reflected border",
      [3, 4],
      (x) =>
        tf.mirrorPad(
          x,
          [
            [0, 0],
            [1, 1],
            [2, 0],
          ],
          "reflect",
        ),
      ([b]) => [b!, 5, 6],
    ],
    [
      "all sums of two examples",
      [2, 3],
      (x) => x.reshape([x.shape[0], 1, 6]).add(x.reshape([1, x.shape[0], 6])),
      ([b]) => [b!, b!, 6],
    ],
    [
      "all pairs of every other example",
      [3],
      (x) => {
        const half = tf.stridedSlice(x, [0, 0], x.shape, [2, 1]);
        return tf.matMul(half, half, false, true).expandDims(2);
      },
      () => [null, null, 1],
    ],
    ["a count along the batch", [3], (x) => tf.mul(x, tf.range(5, 5 + 2 * x.shape[0], 2).expandDims(1)), undefined],
    ["the mean of integers", [4], (x) => tf.mean(x.mul(10).toInt(), 1), ([b]) => [b!]],
  ])("may compute %s", (_, inputShape, compute, shape) => {
    const input = tf.input({ shape: inputShape });
    check(tf.model({ inputs: input, outputs: apply(new Lambda(compute, shape), input) }));
  });
});
