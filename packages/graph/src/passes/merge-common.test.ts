import { describe, expect, it } from "vitest";

import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { attribute } from "../ir/attribute.js";
import type { Graph, Node } from "../ir/graph.js";
import { mergeCommon } from "./merge-common.js";

const x = node("Placeholder", "x", [], [null, 2]);

describe("mergeCommon", () => {
  it("merges equal nodes, and then what follows them alike", () => {
    const graph = mergeCommon(
      makeGraph(
        [
          x,
          node("Neg", "a", ["x"], [null, 2]),
          node("Neg", "b", ["x"], [null, 2]),
          node("Exp", "c", ["a"], [null, 2]),
          node("Exp", "d", ["b"], [null, 2]),
          node("AddV2", "e", ["c", "d"], [null, 2]),
        ],
        ["e", "d"],
      ),
    );
    expect(listOps(graph)).toEqual(["Placeholder", "Neg", "Exp", "AddV2"]);
    expect(graph.nodes.at(-1)?.inputs.map(({ node: name }) => name)).toEqual(["c", "c"]);
    expect(graph.outputs.map(({ value }) => value.node)).toEqual(["e", "c"]);
  });

  it("keeps nodes apart that differ in operation, inputs, attributes or shape", () => {
    const nodes = [
      x,
      node("Placeholder", "y", [], [null, 2]),
      node("LeakyRelu", "a", ["x"], [null, 2], { alpha: attribute.float(0.1) }),
      node("LeakyRelu", "b", ["x"], [null, 2], { alpha: attribute.float(0.2) }),
      node("LeakyRelu", "c", ["y"], [null, 2], { alpha: attribute.float(0.1) }),
      node("Sub", "d", ["a", "b"], [null, 2]),
      node("Sub", "e", ["b", "a"], [null, 2]),
    ];
    expect(mergeCommon(makeGraph(nodes, ["c", "d", "e"])).nodes).toEqual(nodes);
  });

  it("keeps scans apart, whose bodies may differ", () => {
    const [slice, state] = ["slice", "state"].map((name) => node("Placeholder", name, [], [null, 2]));
    const body = (op: string): Graph =>
      makeGraph([slice!, state!, node(op, "next", ["slice", "state"], [null, 2])], ["next"]);
    const loop = (name: string, op: string): Node => ({
      ...node("Scan", name, ["sequence", "x"], [null, 2]),
      scan: { sequenceCount: 1, stateCount: 1, body: body(op) },
    });
    const scans = [loop("scan_0", "AddV2"), loop("scan_1", "Mul")];
    const nodes = [x, node("Placeholder", "sequence", [], [null, 3, 2]), ...scans];
    expect(mergeCommon(makeGraph(nodes, ["scan_0", "scan_1"])).nodes).toEqual(nodes);
  });

  it("merges constants of equal dtype, shape and values only", () => {
    const sum = node("AddN", "y", ["a", "b", "c", "d", "e"], [2]);
    const graph = mergeCommon(
      makeGraph(
        [
          constant("a", [2], [0, 0]),
          constant("b", [2], [0, 0]),
          constant("c", [2], [0, 1]),
          constant("d", [1, 2], [0, 0]),
          ints("e", [0, 0]),
          sum,
        ],
        ["y"],
      ),
    );
    expect(graph.nodes.at(-1)?.inputs.map(({ node: name }) => name)).toEqual(["a", "a", "c", "d", "e"]);
  });

  it("keeps weights apart whose values happen to be equal", () => {
    const nodes = [
      constant("a", [2], [0, 0], "first/bias"),
      constant("b", [2], [0, 0], "second/bias"),
      constant("c", [2], [0, 0]),
      node("AddN", "y", ["a", "b", "c"], [2]),
    ];
    expect(mergeCommon(makeGraph(nodes, ["y"])).nodes).toEqual(nodes);
  });
});
