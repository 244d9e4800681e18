import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Graph, Node } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";
import { sinkReshapes } from "./sink-reshapes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const x = node("Placeholder", "x", [], [null, 6]);
const wide = [ints("wide", [1, 1, -1, 6]), node("Reshape", "wrapped", ["x", "wide"], [1, 1, null, 6])];
const split = [ints("split", [-1, 2, 3]), node("Reshape", "wrapped", ["x", "split"], [null, 2, 3])];

function sink(nodes: readonly Node[], outputs: readonly string[]): Graph {
  const graph = makeGraph(nodes, outputs);
  const sunk = removeDeadNodes(sinkReshapes(graph));
  validateGraph(sunk);
  const input = tf.randomNormal([4, 6], 0, 1, "float32", 1);
  const expected = runGraph(graph, [input]);
  for (const [index, found] of runGraph(sunk, [input]).entries())
    expect(maxDifference(found, expected[index]!)).toBe(0);
  return sunk;
}

describe("sinkReshapes", () => {
  it("moves a reshape behind a chain of operations on channels", () => {
    const graph = sink(
      [
        x,
        ...wide,
        constant("scale", [1, 1, 1, 6]),
        constant("shift", [6]),
        constant("half", []),
        node("Mul", "scaled", ["wrapped", "scale"], [1, 1, null, 6]),
        node("BiasAdd", "shifted", ["scaled", "shift"], [1, 1, null, 6]),
        node("Sub", "less", ["shifted", "half"], [1, 1, null, 6]),
        node("Relu", "y", ["less"], [1, 1, null, 6]),
      ],
      ["y"],
    );
    expect(listOps(graph)).toEqual(["Placeholder", "Mul", "BiasAdd", "Sub", "Relu", "Reshape"]);
  });

  it("leaves the reshape to its other users", () => {
    const graph = sink(
      [x, ...wide, node("Relu", "y", ["wrapped"], [1, 1, null, 6]), node("Neg", "z", ["wrapped"], [1, 1, null, 6])],
      ["y", "z"],
    );
    expect(listOps(graph)).toEqual(["Placeholder", "Reshape", "Relu", "Reshape", "Neg"]);
  });

  it("stays before an operation on channels that it made", () => {
    const scaled = [constant("scale", [3]), node("Mul", "y", ["wrapped", "scale"], [null, 2, 3])];
    expect(listOps(sink([x, ...split, ...scaled], ["y"]))).toEqual(["Placeholder", "Reshape", "Mul"]);
  });

  it("stays before an operation with anything but one constant per channel", () => {
    const rows = [constant("rows", [2, 3]), node("Mul", "y", ["wrapped", "rows"], [null, 2, 3])];
    expect(listOps(sink([x, ...split, ...rows], ["y"]))).toEqual(["Placeholder", "Reshape", "Mul"]);
    const sum = node("AddV2", "y", ["wrapped", "wrapped"], [1, 1, null, 6]);
    expect(listOps(sink([x, ...wide, sum], ["y"]))).toEqual(["Placeholder", "Reshape", "AddV2"]);
  });

  it("stays before a softmax, which is not element-wise", () => {
    expect(listOps(sink([x, ...split, node("Softmax", "y", ["wrapped"], [null, 2, 3])], ["y"]))).toEqual([
      "Placeholder",
      "Reshape",
      "Softmax",
    ]);
  });
});
