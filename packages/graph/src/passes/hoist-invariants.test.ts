import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { constant, listOps, makeGraph, node, scan } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Graph } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { hoistInvariants } from "./hoist-invariants.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function build(...bodyNodes: Parameters<typeof makeGraph>[0]): Graph {
  const body = makeGraph(
    [
      node("Placeholder", "slice", [], [null, 2]),
      node("Placeholder", "state", [], [null, 2]),
      node("Placeholder", "capture", [], [null, 2]),
      constant("factor", [2], [2, 3]),
      ...bodyNodes,
    ],
    ["next", "next"],
  );
  const outputs = body.outputs.map(({ value }, index) => ({ name: `output_${index}`, value }));
  const graph = makeGraph(
    [
      node("Placeholder", "x", [], [null, 3, 2]),
      node("Placeholder", "start", [], [null, 2]),
      node("Placeholder", "scale", [], [null, 2]),
      scan("scan", ["x", "start", "scale"], 3, { ...body, outputs }),
    ],
    ["scan"],
  );
  validateGraph(graph);
  return graph;
}

function check(graph: Graph): { outer: string[]; body: string[] } {
  const hoisted = hoistInvariants(graph);
  validateGraph(hoisted);
  const inputs = [tf.ones([2, 3, 2]), tf.ones([2, 2]), tf.range(0, 4).reshape([2, 2])];
  const [before, after] = [graph, hoisted].map((each) => runGraph(each, inputs)[0]!.arraySync());
  expect(after).toEqual(before);
  return { outer: listOps(hoisted), body: hoisted.nodes.flatMap(({ scan: step }) => (step ? listOps(step.body) : [])) };
}

describe("hoistInvariants", () => {
  it("computes once what is the same in every step", () => {
    const { outer, body } = check(
      build(
        node("Mul", "scaled", ["capture", "factor"], [null, 2]),
        node("Neg", "negated", ["scaled"], [null, 2]),
        node("AddV2", "sum", ["slice", "negated"], [null, 2]),
        node("Mul", "next", ["sum", "scaled"], [null, 2]),
      ),
    );
    expect(outer.filter((op) => op !== "Placeholder")).toEqual(["Mul", "Neg", "Scan"]);
    expect(body.filter((op) => op !== "Placeholder")).toEqual(["AddV2", "Mul"]);
  });

  it("leaves in the body what depends on a slice or a state, and constants", () => {
    const graph = build(
      node("Mul", "scaled", ["state", "factor"], [null, 2]),
      node("Neg", "negated", ["slice"], [null, 2]),
      node("AddV2", "next", ["scaled", "negated"], [null, 2]),
    );
    expect(hoistInvariants(graph)).toEqual(graph);
  });

  it("keeps a state that is the same from the first step on", () => {
    const { body } = check(build(node("Mul", "next", ["capture", "factor"], [null, 2])));
    expect(body.filter((op) => op !== "Placeholder")).toEqual([]);
  });
});
