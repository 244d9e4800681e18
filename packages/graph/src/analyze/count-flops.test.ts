import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { randomizeWeights } from "../../test/compare-model.js";
import { constant, makeGraph, node } from "../../test/make-graph.js";
import { captureModel } from "../capture/capture-model.js";
import { opSchemas } from "../emit/graph-def/op-schemas.js";
import { attribute } from "../ir/attribute.js";
import type { Graph, SymbolicShape } from "../ir/graph.js";
import { optimize } from "../passes/optimize.js";
import { countFlops, flopFormulas } from "./count-flops.js";
import { measureGraph } from "./measure-graph.js";

function capture(layers: tf.layers.Layer[]): Graph {
  return optimize(captureModel(tf.sequential({ layers })).graph);
}

/** One activation on an input of this shape. */
function createRelu(...shape: SymbolicShape): Graph {
  return makeGraph([node("Placeholder", "x", [], shape), node("Relu", "y", ["x"], shape)], ["y"]);
}

describe("countFlops", () => {
  it("counts a dense layer: a multiply-add for each weight, the bias, the activation", () => {
    const graph = capture([tf.layers.dense({ inputShape: [64], units: 16, activation: "relu" })]);
    expect(countFlops(graph)).toBe(2 * 64 * 16 + 16 + 16);
    const classes = capture([tf.layers.dense({ inputShape: [64], units: 10, activation: "softmax", useBias: false })]);
    expect(countFlops(classes)).toBe(2 * 64 * 10 + 5 * 10);
  });

  it("counts convolutions, depthwise and transposed ones, and pooling", () => {
    const shape = { inputShape: [8, 8, 3], useBias: false };
    expect(countFlops(capture([tf.layers.conv2d({ ...shape, filters: 5, kernelSize: 3 })]))).toBe(
      2 * (6 * 6 * 5) * (3 * 3 * 3),
    );
    expect(countFlops(capture([tf.layers.depthwiseConv2d({ ...shape, kernelSize: 3, depthMultiplier: 2 })]))).toBe(
      2 * (6 * 6 * 6) * (3 * 3),
    );
    // Each of the 8 x 8 inputs is spread over 3 x 3 positions of 5 channels.
    expect(countFlops(capture([tf.layers.conv2dTranspose({ ...shape, filters: 5, kernelSize: 3, strides: 2 })]))).toBe(
      2 * (8 * 8 * 3) * (3 * 3 * 5),
    );
    expect(countFlops(capture([tf.layers.maxPooling2d({ inputShape: [8, 8, 3], poolSize: 2 })]))).toBe(4 * 4 * 3 * 4);
    const conv3d = makeGraph(
      [
        node("Placeholder", "x", [], [null, 4, 4, 4, 2]),
        constant("filter", [2, 2, 2, 2, 3]),
        node("Conv3D", "y", ["x", "filter"], [null, 3, 3, 3, 3]),
      ],
      ["y"],
    );
    expect(countFlops(conv3d)).toBe(2 * (3 * 3 * 3 * 3) * (2 * 2 * 2 * 2));
  });

  it("follows the batch through reshapes: a dense layer on every step of a sequence", () => {
    const graph = capture([tf.layers.dense({ inputShape: [7, 4], units: 3 })]);
    expect(countFlops(graph)).toBe(7 * (2 * 4 * 3 + 3));
  });

  it("follows computed shapes: the state that a recurrent layer begins with", () => {
    const graph = capture([tf.layers.simpleRNN({ inputShape: [5, 4], units: 3, activation: "linear" })]);
    // Two products, the sum of both and the bias in each step; what is folded away or moved costs nothing.
    const step = 2 * 4 * 3 + 2 * 3 * 3 + 3 + 3;
    expect(countFlops(graph)).toBeGreaterThanOrEqual(5 * step - 3 - 2 * 3 * 3);
    expect(countFlops(graph)).toBeLessThanOrEqual(5 * step);
  });

  it("counts batched and contracted products", () => {
    const a = node("Placeholder", "a", [], [null, 6, 2]);
    const b = node("Placeholder", "b", [], [null, 6, 5]);
    const product = node("BatchMatMulV2", "y", ["a", "b"], [null, 2, 5], { adj_x: attribute.bool(true) });
    expect(countFlops(makeGraph([a, b, product], ["y"]))).toBe(2 * (2 * 5) * 6);
    const equation = attribute.string("bij,bik->bjk");
    const contraction = node("Einsum", "y", ["a", "b"], [null, 2, 5], { equation });
    expect(countFlops(makeGraph([a, b, contraction], ["y"]))).toBe(2 * (6 * 2 * 5));
  });

  it("divides the whole by a batch that is fixed", () => {
    const graph = capture([tf.layers.dense({ batchInputShape: [4, 64], units: 16, useBias: false })]);
    expect(countFlops(graph)).toBe(2 * 64 * 16);
  });

  it("does not count what depends on an open size or has no formula", () => {
    const open = createRelu(null, null, 3);
    expect(countFlops(open)).toBeUndefined();
    expect(measureGraph(open)).toEqual({ ops: { Relu: 1 }, parameterCount: 0 });
    const known = createRelu(null, 3);
    expect(countFlops(known)).toBe(3);
    const [x, y] = known.nodes;
    expect(countFlops({ ...known, nodes: [x!, { ...y!, op: "Unheard" }] })).toBeUndefined();
  });

  it("has a formula for every operation that can be emitted, but for those whose cost depends on the data", () => {
    const missing = Object.keys(opSchemas).filter((op) => !Object.hasOwn(flopFormulas, op));
    expect(missing).toEqual(["TopKV2"]);
  });

  it("counts a MobileNet as by hand, which is what is published of it", () => {
    const { ops, parameterCount, flopsPerExample = 0 } = measureGraph(createMobileNet());
    expect(ops).toMatchObject({ Conv2D: 15, DepthwiseConv2dNative: 13, BiasAdd: 28, Relu: 27, Mean: 1, Softmax: 1 });
    const { multiplyAdds, kernelSize, outputSize } = countByHand();
    // "14 million mult-adds and 0.5 million parameters".
    expect(Math.round(multiplyAdds / 1e6)).toBe(14);
    // Batch normalisation is folded into the kernels and a bias.
    expect(parameterCount).toBe(kernelSize + biasCount);
    expect(flopsPerExample).toBe(2 * multiplyAdds + 2 * outputSize + 1000 + 4 * 4 * 256 + 5 * 1000);
  });
});

/** Filters and stride of the blocks of a MobileNet of width 0.25. */
const blocks: readonly (readonly [filters: number, stride: 1 | 2])[] = [
  [16, 1],
  [32, 2],
  [32, 1],
  [64, 2],
  [64, 1],
  [128, 2],
  [128, 1],
  [128, 1],
  [128, 1],
  [128, 1],
  [128, 1],
  [256, 2],
  [256, 1],
];

const biasCount = blocks.reduce((sum, [filters], at) => sum + filters + (blocks[at - 1]?.[0] ?? 8), 8 + 1000);

/** Products of the convolutions, elements of their kernels, and of the outputs that are normalised and activated. */
function countByHand(): { multiplyAdds: number; kernelSize: number; outputSize: number } {
  const first = 64 * 64 * 8;
  let [side, channels, multiplyAdds, kernelSize, outputSize] = [64, 8, first * 27, 27 * 8, first];
  for (const [filters, stride] of blocks) {
    side /= stride;
    multiplyAdds += side * side * channels * (9 + filters);
    kernelSize += channels * (9 + filters);
    outputSize += side * side * (channels + filters);
    channels = filters;
  }
  return { multiplyAdds: multiplyAdds + 256 * 1000, kernelSize: kernelSize + 256 * 1000, outputSize };
}

/** A convolution, normalised and activated. */
function createBlock(convolution: tf.layers.Layer): readonly tf.layers.Layer[] {
  return [convolution, tf.layers.batchNormalization(), tf.layers.activation({ activation: "relu" })];
}

/** As in table 1 of "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications". */
function createMobileNet(): Graph {
  const same = { padding: "same", useBias: false } as const;
  const convolutions = [
    tf.layers.conv2d({ ...same, inputShape: [128, 128, 3], filters: 8, kernelSize: 3, strides: 2 }),
    ...blocks.flatMap(([filters, strides]) => [
      tf.layers.depthwiseConv2d({ ...same, kernelSize: 3, strides }),
      tf.layers.conv2d({ ...same, filters, kernelSize: 1 }),
    ]),
  ];
  const model = tf.sequential({
    layers: [
      ...convolutions.flatMap(createBlock),
      tf.layers.globalAveragePooling2d({ dataFormat: "channelsLast" }),
      tf.layers.reshape({ targetShape: [1, 1, 256] }),
      tf.layers.conv2d({ filters: 1000, kernelSize: 1 }),
      tf.layers.reshape({ targetShape: [1000] }),
      tf.layers.softmax(),
    ],
  });
  // Statistics and biases that are not all equal, or equal constants would be one.
  randomizeWeights(model);
  return optimize(captureModel(model).graph);
}
