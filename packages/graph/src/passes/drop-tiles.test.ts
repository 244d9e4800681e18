import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Graph, Node } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { dropTiles } from "./drop-tiles.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const x = node("Placeholder", "x", [], [null, 3]);
const mean = [
  node("Placeholder", "m", [], [null, 1]),
  ints("wide", [1, 3]),
  node("Tile", "t", ["m", "wide"], [null, 3]),
];

function drop(nodes: readonly Node[], outputs: readonly string[] = ["y"]): Graph {
  const graph = makeGraph([x, ...nodes], outputs);
  const dropped = removeDeadNodes(dropTiles(graph));
  validateGraph(dropped);
  const inputs = [tf.randomNormal([4, 3], 0, 1, "float32", 1), tf.randomNormal([4, 1], 0, 1, "float32", 2)];
  const expected = runGraph(graph, inputs);
  for (const [index, found] of runGraph(dropped, inputs).entries())
    expect(maxDifference(found, expected[index]!)).toBe(0);
  return dropped;
}

describe("dropTiles", () => {
  it("lets an operation broadcast what was repeated to its other operand's shape", () => {
    expect(listOps(drop([...mean, node("Sub", "y", ["x", "t"], [null, 3])]))).toEqual([
      "Placeholder",
      "Placeholder",
      "Sub",
    ]);
  });

  it("drops both of two tiles that make up the shape together", () => {
    const rows = [constant("row", [1, 3]), ints("once", [1, 1]), node("Tile", "u", ["row", "once"], [1, 3])];
    const graph = drop([...mean, ...rows, node("Mul", "y", ["t", "u"], [null, 3])]);
    expect(listOps(graph)).toEqual(["Placeholder", "Placeholder", "Mul"]);
  });

  it("moves a tile behind what works on each element, up to where it can go", () => {
    const nodes = [
      ...mean,
      constant("small", [], [2]),
      node("Square", "s", ["t"], [null, 3]),
      node("AddV2", "a", ["s", "small"], [null, 3]),
      node("Rsqrt", "r", ["a"], [null, 3]),
      node("Mul", "y", ["r", "x"], [null, 3]),
    ];
    const graph = drop(nodes);
    expect(listOps(graph)).toEqual(["Placeholder", "Placeholder", "Square", "AddV2", "Rsqrt", "Mul"]);
    expect(graph.nodes.find(({ op }) => op === "Rsqrt")?.outputs[0]?.shape).toEqual([null, 1]);
  });

  it("keeps a tile that alone makes the result as large as it is", () => {
    const column = constant("column", [1, 1], [2]);
    const graph = drop([...mean, column, node("Mul", "y", ["t", "column"], [null, 3])]);
    expect(listOps(graph)).toEqual(["Placeholder", "Placeholder", "Mul", "Tile"]);
  });

  it("keeps a tile that repeats more than one element", () => {
    const twice = [ints("twice", [1, 2]), node("Tile", "t", ["x", "twice"], [null, 6]), constant("row", [6])];
    expect(listOps(drop([...mean.slice(0, 1), ...twice, node("Mul", "y", ["t", "row"], [null, 6])]))).toContain("Tile");
  });

  it("leaves a tile to its other readers, and does not move it past one of them", () => {
    const graph = drop(
      [...mean, node("Sub", "y", ["x", "t"], [null, 3]), node("Neg", "z", ["t"], [null, 3])],
      ["y", "z", "t"],
    );
    expect(listOps(graph)).toEqual(["Placeholder", "Placeholder", "Tile", "Sub", "Neg"]);
    expect(graph.nodes.find(({ op }) => op === "Sub")?.inputs[1]?.node).toBe("m");
  });

  it("keeps a tile before a sum over the axis, which counts what is repeated", () => {
    const nodes = [...mean, ints("axes", [1]), node("Sum", "y", ["t", "axes"], [null])];
    const graph = makeGraph([x, ...nodes], ["y"]);
    expect(listOps(dropTiles(graph))).toContain("Tile");
  });
});
