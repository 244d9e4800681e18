import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Node } from "../ir/graph.js";
import { foldConstants } from "./fold-constants.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const positive = constant("positive", [2, 3], [0.5, 1, 2, 3, 4, 5]);
const any = constant("any", [2, 3]);
const row = constant("row", [3]);
const column = constant("column", [2, 1]);
const cube = constant("cube", [2, 3, 4]);
const toInt = { ...node("Cast", "y", ["any"], [2, 3]), outputs: [{ dtype: "int32", shape: [2, 3] }] } as const;
const toBool = { ...node("Cast", "y", ["any"], [2, 3]), outputs: [{ dtype: "bool", shape: [2, 3] }] } as const;

const unary = ["Abs", "Exp", "Identity", "Neg", "Relu", "Sigmoid", "Softplus", "Square", "Tanh"];
const binary = ["AddV2", "Maximum", "Minimum", "Mul", "RealDiv", "Sub"];
const cases: [string, Node][] = [
  ...unary.map((op): [string, Node] => [op, node(op, "y", ["any"], [2, 3])]),
  ...["Log", "Reciprocal", "Rsqrt", "Sqrt"].map((op): [string, Node] => [op, node(op, "y", ["positive"], [2, 3])]),
  ...binary.map((op): [string, Node] => [`${op} with a row`, node(op, "y", ["any", "row"], [2, 3])]),
  ...binary.map((op): [string, Node] => [`${op} of column and row`, node(op, "y", ["column", "row"], [2, 3])]),
  ["Pow", node("Pow", "y", ["positive", "row"], [2, 3])],
  ["BiasAdd", node("BiasAdd", "y", ["any", "row"], [2, 3])],
  ["Reshape", node("Reshape", "y", ["any", "shape"], [3, 2])],
  ["Transpose", node("Transpose", "y", ["cube", "order"], [4, 2, 3])],
  ["Slice", node("Slice", "y", ["cube", "begin", "size"], [1, 2, 2])],
  ["Cast to int32", toInt],
  ["Cast to bool", toBool],
];

describe("foldConstants", () => {
  it.each(cases)("computes %s as TensorFlow.js does", (_, last) => {
    const operands = [positive, any, row, column, cube];
    const vectors = [
      ints("shape", [3, 2]),
      ints("order", [2, 0, 1]),
      ints("begin", [1, 0, 2]),
      ints("size", [1, 2, 2]),
    ];
    const nodes = [...operands, ...vectors, last];
    const graph = makeGraph(nodes, ["y"]);
    const folded = foldConstants(graph);
    expect(listOps(folded)).toEqual([]);
    expect(maxDifference(runGraph(folded, [])[0]!, runGraph(graph, [])[0]!)).toBeLessThanOrEqual(1e-6);
  });

  it("folds a chain, and keeps the names", () => {
    const folded = foldConstants(
      makeGraph([any, row, node("Mul", "a", ["any", "row"], [2, 3]), node("Exp", "b", ["a"], [2, 3])], ["b"]),
    );
    expect(folded.nodes.map(({ name, op }) => [name, op])).toEqual([
      ["any", "Const"],
      ["row", "Const"],
      ["a", "Const"],
      ["b", "Const"],
    ]);
  });

  it("does not pass a result off as the weight it was computed from", () => {
    const weight = constant("w", [3], [1, 2, 3], "dense/bias");
    const folded = foldConstants(makeGraph([weight, node("Neg", "y", ["w"], [3])], ["y"]));
    expect(folded.nodes.map(({ constant: value }) => value?.weight)).toEqual(["dense/bias", undefined]);
  });

  it("leaves what depends on an input, and operations it does not know", () => {
    const nodes = [
      node("Placeholder", "x", [], [null, 3]),
      row,
      node("Mul", "a", ["x", "row"], [null, 3]),
      node("Erf", "b", ["row"], [3]),
      node("AddV2", "y", ["a", "b"], [null, 3]),
    ];
    expect(foldConstants(makeGraph(nodes, ["y"])).nodes).toEqual(nodes);
  });
});
