import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Graph, Node } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { mergeClips } from "./merge-clips.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const x = node("Placeholder", "x", [], [null, 5]);
const clip = (name: string, input: string, low: number, high: number): Node[] => [
  constant(`${name}/a`, [], [low]),
  constant(`${name}/b`, [], [high]),
  node("ClipByValue", name, [input, `${name}/a`, `${name}/b`], [null, 5]),
];
const relu = (name: string, input: string): Node => node("Relu", name, [input], [null, 5]);

function merge(nodes: readonly Node[], output: string): Graph {
  const graph = makeGraph([x, ...nodes], [output]);
  const merged = removeDeadNodes(mergeClips(graph));
  validateGraph(merged);
  const input = tf.tensor2d([
    [-9, -1, -0.5, 0, 0.25],
    [0.5, 1, 5, 6, 9],
  ]);
  expect(maxDifference(runGraph(merged, [input])[0]!, runGraph(graph, [input])[0]!)).toBe(0);
  return merged;
}

describe("mergeClips", () => {
  it.each<[string, Node[], string[]]>([
    ["a Relu with a largest value of 6", [relu("a", "x"), ...clip("y", "a", 0, 6)], ["Relu6"]],
    ["a Relu with another largest value", [relu("a", "x"), ...clip("y", "a", 0, 0.5)], ["ClipByValue"]],
    ["a clip below zero and a Relu", [...clip("a", "x", -1, 6), relu("y", "a")], ["Relu6"]],
    ["two Relu", [relu("a", "x"), relu("y", "a")], ["Relu"]],
    ["two clips that overlap", [...clip("a", "x", -2, 1), ...clip("y", "a", -1, 5)], ["ClipByValue"]],
    ["a clip to the range of Relu6", clip("y", "x", 0, 6), ["Relu6"]],
  ])("makes one operation of %s", (_, nodes, ops) => {
    expect(listOps(merge(nodes, "y"))).toEqual(["Placeholder", ...ops]);
  });

  it("keeps clips apart whose ranges do not overlap", () => {
    const graph = merge([...clip("a", "x", 2, 3), ...clip("y", "a", 0, 1)], "y");
    expect(listOps(graph)).toEqual(["Placeholder", "ClipByValue", "ClipByValue"]);
  });

  it("leaves the first clip to its other readers", () => {
    const nodes = [relu("a", "x"), ...clip("b", "a", 0, 6), node("AddV2", "y", ["a", "b"], [null, 5])];
    expect(listOps(merge(nodes, "y"))).toEqual(["Placeholder", "Relu", "Relu6", "AddV2"]);
  });
});
