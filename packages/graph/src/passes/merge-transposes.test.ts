import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Graph, Node } from "../ir/graph.js";
import { mergeTransposes } from "./merge-transposes.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const x = node("Placeholder", "x", [], [null, 2, 3, 4]);
const sizes = [null, 2, 3, 4] as const;

/** A transposition of what has the sizes of `x` in the order `before`. */
function transpose(name: string, input: string, permutation: readonly number[], before = [0, 1, 2, 3]): Node[] {
  const shape = permutation.map((axis) => sizes[before[axis] ?? 0] ?? null);
  return [ints(`${name}/p`, permutation), node("Transpose", name, [input, `${name}/p`], shape)];
}

function merge(nodes: readonly Node[], outputs: readonly string[]): Graph {
  const graph = makeGraph([x, ...nodes], outputs);
  const merged = removeDeadNodes(mergeTransposes(graph));
  const input = tf.randomNormal([5, 2, 3, 4], 0, 1, "float32", 1);
  const expected = runGraph(graph, [input]);
  for (const [index, found] of runGraph(merged, [input]).entries())
    expect(maxDifference(found, expected[index]!)).toBe(0);
  return merged;
}

const toFirst = [0, 3, 1, 2];
const toLast = [0, 2, 3, 1];

describe("mergeTransposes", () => {
  it("removes two that lead back, and one that leads nowhere", () => {
    const back = merge([...transpose("a", "x", toFirst), ...transpose("b", "a", toLast, toFirst)], ["b"]);
    expect(back.outputs[0]?.value.node).toBe("x");
    expect(merge(transpose("a", "x", [0, 1, 2, 3]), ["a"]).outputs[0]?.value.node).toBe("x");
  });

  it("makes one of two that do not", () => {
    const graph = merge([...transpose("a", "x", toFirst), ...transpose("b", "a", [0, 3, 2, 1], toFirst)], ["b"]);
    expect(listOps(graph)).toEqual(["Placeholder", "Transpose"]);
  });

  it("leaves the first one to its other readers", () => {
    const nodes = [...transpose("a", "x", toFirst), ...transpose("b", "a", toLast, toFirst)];
    expect(listOps(merge(nodes, ["b", "a"]))).toEqual(["Placeholder", "Transpose"]);
  });
});
