import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { maxDifference } from "../../test/compare-model.js";
import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import { attribute } from "../ir/attribute.js";
import type { Graph, Node } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { mergeTransposes } from "./merge-transposes.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";
import { sinkTransposes } from "./sink-transposes.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const [x, z] = ["x", "z"].map((name) => node("Placeholder", name, [], [null, 2, 3, 4]));
const shape = [null, 4, 2, 3] as const;
const first = (name: string, input: string): Node[] => [
  ints(`${name}/p`, [0, 3, 1, 2]),
  node("Transpose", name, [input, `${name}/p`], shape),
];
const last = [ints("last", [0, 2, 3, 1]), node("Transpose", "end", ["y", "last"], [null, 2, 3, 4])];
const keep = { keep_dims: attribute.bool(false) };

function sink(nodes: readonly Node[], outputs: readonly string[]): Graph {
  const graph = makeGraph([x!, z!, ...nodes], outputs);
  const sunk = removeDeadNodes(mergeTransposes(sinkTransposes(graph)));
  validateGraph(sunk);
  const inputs = [1, 2].map((seed) => tf.randomNormal([5, 2, 3, 4], 0, 1, "float32", seed));
  const expected = runGraph(graph, inputs);
  for (const [index, found] of runGraph(sunk, inputs).entries())
    expect(maxDifference(found, expected[index]!)).toBeLessThanOrEqual(1e-6);
  return sunk;
}

const operations = (graph: Graph): string[] => listOps(graph).filter((op) => op !== "Placeholder");

describe("sinkTransposes", () => {
  it.each<[string, Node[]]>([
    ["Relu", [node("Relu", "y", ["t"], shape)]],
    ["Mul", [constant("c", [4, 1, 1]), node("Mul", "y", ["t", "c"], shape)]],
    ["Sub", [constant("c", [1, 4, 2, 1]), node("Sub", "y", ["c", "t"], shape)]],
    ["AddV2", [constant("c", [3]), node("BiasAdd", "y", ["t", "c"], shape)]],
    ["Maximum", [constant("c", []), node("Maximum", "y", ["t", "c"], shape)]],
    ["Mul", [node("Mul", "y", ["t", "t"], shape)]],
    ["AddV2", [...first("u", "z"), node("AddV2", "y", ["t", "u"], shape)]],
  ])("lets two transpositions around %s cancel", (op, nodes) => {
    expect(operations(sink([...first("t", "x"), ...nodes, ...last], ["end"]))).toEqual([op]);
  });

  it("lets transpositions around a concatenation cancel, which then runs along another axis", () => {
    const join = [constant("axis", [], [1]), node("ConcatV2", "y", ["t", "u", "axis"], [null, 8, 2, 3])];
    const axis = { ...join[0]!, constant: { dtype: "int32", shape: [], values: Int32Array.of(1) } } as const;
    const typed = { ...axis, outputs: [{ dtype: "int32", shape: [] }] } as const;
    const end = [ints("last", [0, 2, 3, 1]), node("Transpose", "end", ["y", "last"], [null, 2, 3, 8])];
    const graph = sink([...first("t", "x"), ...first("u", "z"), typed, join[1]!, ...end], ["end"]);
    expect(operations(graph)).toEqual(["ConcatV2"]);
  });

  it("reduces what was transposed where the axes left are in order, and not where they are not", () => {
    const pooled = [ints("axes", [2, 3]), node("Mean", "y", ["t", "axes"], [null, 4], keep)];
    expect(operations(sink([...first("t", "x"), ...pooled], ["y"]))).toEqual(["Mean"]);
    const turned = [ints("axes", [2]), node("Mean", "y", ["t", "axes"], [null, 4, 3], keep)];
    expect(operations(sink([...first("t", "x"), ...turned], ["y"]))).toEqual(["Transpose", "Mean"]);
  });

  it("leaves a transposition where something else reads it", () => {
    const graph = sink([...first("t", "x"), node("Relu", "y", ["t"], shape), ...last], ["end", "t"]);
    expect(operations(graph)).toEqual(["Transpose", "Relu", "Transpose"]);
  });

  it("stays before an operation of values that are not transposed alike", () => {
    const other = [ints("q", [0, 3, 2, 1]), node("Transpose", "u", ["w", "q"], shape)];
    const w = node("Placeholder", "w", [], [null, 3, 2, 4]);
    const nodes = [w, ...first("t", "x"), ...other, node("AddV2", "y", ["t", "u"], shape)];
    const graph = makeGraph([x!, ...nodes], ["y"]);
    expect(listOps(sinkTransposes(graph)).at(-1)).toBe("AddV2");
    const plain = makeGraph(
      [x!, node("Placeholder", "v", [], shape), ...first("t", "x"), node("AddV2", "y", ["t", "v"], shape)],
      ["y"],
    );
    expect(listOps(sinkTransposes(plain)).at(-1)).toBe("AddV2");
  });

  it("stays before a softmax, which runs along the last axis", () => {
    const graph = sink([...first("t", "x"), node("Softmax", "y", ["t"], shape), ...last], ["end"]);
    expect(operations(graph)).toEqual(["Transpose", "Softmax", "Transpose"]);
  });
});
