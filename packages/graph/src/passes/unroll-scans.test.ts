import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { listOps, makeGraph, constant, node, scan } from "../../test/make-graph.js";
import { runGraph } from "../../test/run-graph.js";
import type { Graph } from "../ir/graph.js";
import { validateGraph } from "../ir/validate.js";
import { unrollScans } from "./unroll-scans.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

// The next state is slice * factor + state; it is put out doubled.
const body = makeGraph(
  [
    node("Placeholder", "slice", [], [null, 2]),
    node("Placeholder", "state", [], [null, 2]),
    constant("factor", [2], [2, 3]),
    node("Mul", "scaled", ["slice", "factor"], [null, 2]),
    node("AddV2", "sum", ["scaled", "state"], [null, 2]),
    node("AddV2", "double", ["sum", "sum"], [null, 2]),
  ],
  ["sum", "double"],
);

function build(time: number | null): Graph {
  const graph = makeGraph(
    [
      node("Placeholder", "x", [], [null, time, 2]),
      node("Placeholder", "start", [], [null, 2]),
      scan("scan", ["x", "start"], time, body),
    ],
    ["scan"],
  );
  return { ...graph, outputs: [...graph.outputs, { name: "all", value: { node: "scan", output: 1 } }] };
}

describe("unrollScans", () => {
  it("puts the steps one after another, with the body's constants once", () => {
    const unrolled = unrollScans(build(3), 3);
    validateGraph(unrolled);
    const step = ["Mul", "AddV2", "AddV2"];
    expect(listOps(unrolled)).toEqual(["Placeholder", "Placeholder", "Unpack"].concat(step, step, step, "Pack"));
    expect(unrolled.nodes.filter(({ op }) => op === "Const")).toHaveLength(1);
    const [last, all] = runGraph(unrolled, [tf.ones([1, 3, 2]), tf.tensor2d([[10, 20]])]);
    expect(last!.arraySync()).toEqual([[16, 29]]);
    expect(all!.arraySync()).toEqual([
      [
        [24, 46],
        [28, 52],
        [32, 58],
      ],
    ]);
  });

  it.each([
    ["longer than allowed", 4],
    ["of a length known only at run time", null],
  ])("leaves one %s", (_, time) => {
    const graph = build(time);
    expect(unrollScans(graph, 3)).toEqual(graph);
  });

  it("unrolls one in the body of another that it leaves", () => {
    const outer = makeGraph(
      [
        node("Placeholder", "slice", [], [null, 3, 2]),
        node("Placeholder", "state", [], [null, 2]),
        scan("inner", ["slice", "state"], 3, body),
      ],
      ["inner"],
    );
    const around = {
      ...node("Scan", "scan", ["x", "start"], [null, 2]),
      scan: { sequenceCount: 1, stateCount: 1, body: outer },
    };
    const graph = makeGraph(
      [node("Placeholder", "x", [], [null, null, 3, 2]), node("Placeholder", "start", [], [null, 2]), around],
      ["scan"],
    );
    validateGraph(graph);
    const [inner] = unrollScans(graph, 3).nodes.flatMap((each) => each.scan?.body ?? []);
    expect(listOps(inner!)).not.toContain("Scan");
  });
});
