import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import { attribute } from "../ir/attribute.js";
import type { Graph, Node } from "../ir/graph.js";
import { mergePads } from "./merge-pads.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const x = node("Placeholder", "x", [], [null, 4, 4, 2]);

function pad(paddings: readonly number[], value: number, shape: readonly (number | null)[]): Node[] {
  const rows = { ...ints("paddings", paddings), outputs: [{ dtype: "int32", shape: [4, 2] }] } as const;
  const constant_ = { dtype: "int32", shape: [4, 2], values: Int32Array.from(paddings) } as const;
  return [
    { ...rows, constant: constant_ },
    constant("value", [], [value]),
    node("PadV2", "p", ["x", "paddings", "value"], shape),
  ];
}

function convolve(op: string, input: string, shape: readonly (number | null)[], padding = "VALID"): Node[] {
  const window = {
    strides: attribute.ints([1, 1, 1, 1]),
    dilations: attribute.ints([1, 1, 1, 1]),
    padding: attribute.string(padding),
  };
  return [constant("w", [3, 3, 2, op === "Conv2D" ? 3 : 1]), node(op, "y", [input, "w"], shape, window)];
}

function merge(nodes: readonly Node[], outputs: readonly string[] = ["y"]): Graph {
  const graph = makeGraph([x, ...nodes], outputs);
  const merged = removeDeadNodes(mergePads(graph));
  const input = tf.randomNormal([3, 4, 4, 2], 0, 1, "float32", 1);
  const expected = runGraph(graph, [input]);
  for (const [index, found] of runGraph(merged, [input]).entries())
    expect(maxDifference(found, expected[index]!)).toBe(0);
  return merged;
}

const around = [0, 0, 0, 1, 2, 1, 0, 0];
const padded = pad(around, 0, [null, 5, 7, 2]);

describe("mergePads", () => {
  it("merges zeros around an image into a convolution", () => {
    const graph = merge([...padded, ...convolve("Conv2D", "p", [null, 3, 5, 3])]);
    expect(listOps(graph)).toEqual(["Placeholder", "Conv2D"]);
    expect(graph.nodes.at(-1)?.attributes["explicit_paddings"]).toEqual(attribute.ints(around));
  });

  it("keeps padding before a depthwise convolution", () => {
    const graph = merge([...padded, ...convolve("DepthwiseConv2dNative", "p", [null, 3, 5, 2])]);
    expect(listOps(graph)).toEqual(["Placeholder", "PadV2", "DepthwiseConv2dNative"]);
  });

  it("keeps padding with another value, and of other axes", () => {
    const other = merge([...pad(around, 1, [null, 5, 7, 2]), ...convolve("Conv2D", "p", [null, 3, 5, 3])]);
    expect(listOps(other)).toEqual(["Placeholder", "PadV2", "Conv2D"]);
    const batch = merge([
      ...pad([1, 0, 0, 0, 0, 0, 0, 0], 0, [null, 4, 4, 2]),
      ...convolve("Conv2D", "p", [null, 2, 2, 3]),
    ]);
    expect(listOps(batch)).toEqual(["Placeholder", "PadV2", "Conv2D"]);
  });

  it("keeps padding before a convolution that pads by itself", () => {
    const same = merge([...padded, ...convolve("Conv2D", "p", [null, 5, 7, 3], "SAME")]);
    expect(listOps(same)).toEqual(["Placeholder", "PadV2", "Conv2D"]);
  });

  it("keeps padding that something else reads", () => {
    const both = merge([...padded, ...convolve("Conv2D", "p", [null, 3, 5, 3])], ["y", "p"]);
    expect(listOps(both)).toEqual(["Placeholder", "PadV2", "Conv2D"]);
  });

  it("keeps padding before a pooling, whose largest value may be below zero", () => {
    const window = {
      ksize: attribute.ints([1, 2, 2, 1]),
      strides: attribute.ints([1, 2, 2, 1]),
      padding: attribute.string("VALID"),
    };
    const pooled = merge([...padded, node("MaxPool", "y", ["p"], [null, 2, 3, 2], window)]);
    expect(listOps(pooled)).toEqual(["Placeholder", "PadV2", "MaxPool"]);
  });
});
