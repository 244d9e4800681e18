import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import { attribute } from "../ir/attribute.js";
import type { Graph, Node } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const window = {
  strides: attribute.ints([1, 1, 1, 1]),
  dilations: attribute.ints([1, 1, 1, 1]),
  padding: attribute.string("SAME"),
};
const image = [null, 4, 4, 3];
const conv = (name: string, kernel: string): Node => node("Conv2D", name, ["x", kernel], image, window);
const kernel = constant("kernel", [3, 3, 3, 3]);
const input = node("Placeholder", "x", [], image);
const normalize = (name: string, source: string): Node[] => [
  constant(`${name}/scale`, [3]),
  constant(`${name}/shift`, [3]),
  node("Mul", `${name}/Mul`, [source, `${name}/scale`], image),
  node("AddV2", name, [`${name}/Mul`, `${name}/shift`], image),
];

function fold(nodes: readonly Node[], outputs: readonly string[]): Graph {
  const graph = makeGraph(nodes, outputs);
  const folded = removeDeadNodes(foldBatchNorm(graph));
  validateGraph(folded);
  tf.tidy(() => {
    const x = tf.randomNormal(
      nodes[0]!.outputs[0]!.shape.map((size) => size ?? 2),
      0,
      1,
      "float32",
      1,
    );
    const expected = runGraph(graph, [x]);
    for (const [index, found] of runGraph(folded, [x]).entries()) {
      expect(maxDifference(found, expected[index]!)).toBeLessThan(2e-6);
    }
  });
  return folded;
}

describe("foldBatchNorm", () => {
  it("folds into a convolution, which gets a bias", () => {
    const folded = fold([input, kernel, conv("conv", "kernel"), ...normalize("norm", "conv")], ["norm"]);
    expect(listOps(folded)).toEqual(["Placeholder", "Conv2D", "BiasAdd"]);
    expect(folded.nodes.map(({ name }) => name)).toContain("conv");
  });

  it("folds through a bias", () => {
    const bias = [constant("bias", [3]), node("BiasAdd", "biased", ["conv", "bias"], image)];
    const folded = fold([input, kernel, conv("conv", "kernel"), ...bias, ...normalize("norm", "biased")], ["norm"]);
    expect(listOps(folded)).toEqual(["Placeholder", "Conv2D", "BiasAdd"]);
  });

  it("folds into a depthwise convolution, channel times multiplier", () => {
    const shape = [null, 4, 4, 6];
    const folded = fold(
      [
        input,
        constant("kernel", [2, 2, 3, 2]),
        node("DepthwiseConv2dNative", "conv", ["x", "kernel"], shape, window),
        constant("scale", [6]),
        node("Mul", "norm", ["conv", "scale"], shape),
      ],
      ["norm"],
    );
    expect(listOps(folded)).toEqual(["Placeholder", "DepthwiseConv2dNative", "BiasAdd"]);
  });

  it.each([false, true])("folds into a matrix product, transposed or not (%s)", (transposed) => {
    const folded = fold(
      [
        node("Placeholder", "x", [], [null, 4]),
        constant("kernel", transposed ? [3, 4] : [4, 3]),
        node("MatMul", "product", ["x", "kernel"], [null, 3], {
          transpose_a: attribute.bool(false),
          transpose_b: attribute.bool(transposed),
        }),
        constant("mean", [1, 3]),
        constant("scale", [3]),
        node("Sub", "centred", ["product", "mean"], [null, 3]),
        node("Mul", "norm", ["scale", "centred"], [null, 3]),
      ],
      ["norm"],
    );
    expect(listOps(folded)).toEqual(["Placeholder", "MatMul", "BiasAdd"]);
  });

  it("folds a scalar", () => {
    const scaled = [constant("half", [], [0.5]), node("Mul", "scaled", ["conv", "half"], image)];
    const folded = fold([input, kernel, conv("conv", "kernel"), ...scaled], ["scaled"]);
    expect(listOps(folded)).toEqual(["Placeholder", "Conv2D", "BiasAdd"]);
  });

  it("leaves a convolution alone that something else uses, and one that is an output", () => {
    const nodes = [input, kernel, conv("conv", "kernel"), ...normalize("norm", "conv")];
    const other = node("Relu", "other", ["conv"], image);
    const expected = ["Placeholder", "Conv2D", "Mul", "AddV2"];
    expect(listOps(fold([...nodes, other], ["norm", "other"]))).toEqual([...expected, "Relu"]);
    expect(listOps(fold(nodes, ["norm", "conv"]))).toEqual(expected);
  });

  it("folds no further than a value that something else uses", () => {
    const other = node("Relu", "other", ["norm/Mul"], image);
    const nodes = [input, kernel, conv("conv", "kernel"), ...normalize("norm", "conv"), other];
    const folded = fold(nodes, ["norm", "other"]);
    expect(listOps(folded)).toEqual(["Placeholder", "Conv2D", "BiasAdd", "AddV2", "Relu"]);
  });

  it("keeps a kernel that another convolution uses", () => {
    const nodes = [input, kernel, conv("first", "kernel"), conv("second", "kernel"), ...normalize("norm", "first")];
    const folded = fold(nodes, ["norm", "second"]);
    expect(listOps(folded)).toEqual(["Placeholder", "Conv2D", "Conv2D", "BiasAdd"]);
    expect(folded.nodes.find(({ name }) => name === "kernel")?.constant).toBe(kernel.constant);
  });

  it("does not take a sum of two tensors for a bias", () => {
    const nodes = [input, kernel, conv("conv", "kernel"), node("AddV2", "sum", ["conv", "x"], image)];
    expect(listOps(fold(nodes, ["sum"]))).toEqual(["Placeholder", "Conv2D", "AddV2"]);
  });

  it.each([[[4, 1]], [[4, 3]], [[3, 1, 1]]])("does not take a constant %j for one per channel", (shape) => {
    const square = [null, 3, 4, 3];
    const nodes = [
      node("Placeholder", "x", [], square),
      kernel,
      node("Conv2D", "conv", ["x", "kernel"], square, window),
      constant("factor", shape),
      node("Mul", "scaled", ["conv", "factor"], square),
    ];
    expect(listOps(fold(nodes, ["scaled"]))).toEqual(["Placeholder", "Conv2D", "Mul"]);
  });

  it("leaves a bias alone that nothing follows, with the weight it is", () => {
    const bias = constant("bias", [3], [1, 2, 3], "conv/bias");
    const graph = makeGraph(
      [input, kernel, conv("conv", "kernel"), bias, node("BiasAdd", "biased", ["conv", "bias"], image)],
      ["biased"],
    );
    expect(foldBatchNorm(graph)).toEqual(graph);
  });

  it("stops at an activation", () => {
    const relu = node("Relu", "relu", ["conv"], image);
    const folded = fold([input, kernel, conv("conv", "kernel"), relu, ...normalize("norm", "relu")], ["norm"]);
    expect(listOps(folded)).toEqual(["Placeholder", "Conv2D", "Relu", "Mul", "AddV2"]);
  });

  it("leaves a kernel alone that is computed from the input", () => {
    const nodes = [
      input,
      node("Reshape", "kernel", ["x", "shape"], [4, 4, 3, 3]),
      node("Conv2D", "conv", ["x", "kernel"], image, window),
      ...normalize("norm", "conv"),
    ];
    expect(listOps(foldBatchNorm(makeGraph(nodes, ["norm"])))).toEqual([
      "Placeholder",
      "Reshape",
      "Conv2D",
      "Mul",
      "AddV2",
    ]);
  });
});
