import { isCkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { constant, makeGraph, node, scan } from "../../test/make-graph.js";
import type { Graph, Node } from "./graph.js";
import { validateGraph } from "./validate.js";

const x = node("Placeholder", "x", [], [null, 2]);
const c = constant("c", [2]);
const y = node("Mul", "y", ["x", "c"], [null, 2]);
const valid = makeGraph([x, c, y], ["y"]);

const body = makeGraph(
  [
    node("Placeholder", "slice", [], [null, 2]),
    node("Placeholder", "state", [], [null, 2]),
    node("AddV2", "sum", ["slice", "state"], [null, 2]),
    node("Neg", "negated", ["sum"], [null, 2]),
  ],
  ["sum", "negated"],
);
const sequence = node("Placeholder", "sequence", [], [null, null, 2]);
const loop = scan("scan", ["sequence", "x"], null, body);
const step = loop.scan!;
const looping = (each: Node): Graph => makeGraph([sequence, x, each], ["scan"]);

function findIssues(graph: Graph): string[] {
  try {
    validateGraph(graph);
  } catch (error) {
    if (isCkptError(error, "GRAPH_INVALID")) return error.details.issues.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe("validateGraph", () => {
  it("takes a valid graph", () => {
    expect(findIssues(valid)).toEqual([]);
    expect(findIssues(looping(loop))).toEqual([]);
  });

  it.each<[string, Graph, string]>([
    ["a name used twice", { ...valid, nodes: [x, c, c, y] }, "nodes.c"],
    ["an illegal name", { ...valid, nodes: [x, c, y, node("Neg", "a b", ["y"], [null, 2])] }, "nodes.a b"],
    ["a later node as input", { ...valid, nodes: [x, y, c] }, "nodes.y.inputs.1"],
    ["a missing node as input", { ...valid, nodes: [x, y] }, "nodes.y.inputs.1"],
    ["an output that its node lacks", makeGraph([x, node("Neg", "y", ["x:1"], [null, 2])], ["y"]), "nodes.y.inputs.0"],
    ["a Const without a constant", { ...valid, nodes: [x, node("Const", "c", [], [2]), y] }, "nodes.c"],
    ["a constant elsewhere", { ...valid, nodes: [x, c, { ...y, constant: c.constant! }] }, "nodes.y"],
    ["too few values", { ...valid, nodes: [x, constant("c", [2], [1]), y] }, "nodes.c"],
    ["a constant of another shape than its node", { ...valid, nodes: [x, { ...c, outputs: x.outputs }, y] }, "nodes.c"],
    ["an input that is no placeholder", { ...valid, inputs: [...valid.inputs, { name: "c", node: "c" }] }, "inputs.1"],
    ["a placeholder that is no input", { ...valid, inputs: [] }, "nodes.x"],
    ["no output", { ...valid, outputs: [] }, "outputs"],
    ["a missing output", { ...valid, outputs: [{ name: "z", value: { node: "z", output: 0 } }] }, "outputs.0"],
    ["an output name used twice", { ...valid, outputs: [valid.outputs[0]!, valid.outputs[0]!] }, "outputs.1"],
    ["a Scan without a step", looping(node("Scan", "scan", ["sequence", "x"], [null, 2])), "nodes.scan"],
    ["a step elsewhere", { ...valid, nodes: [x, c, { ...y, scan: step }] }, "nodes.y"],
    ["a Scan without a sequence", looping({ ...loop, scan: { ...step, sequenceCount: 0 } }), "nodes.scan"],
    ["a Scan with fewer inputs than its body", looping(scan("scan", ["sequence"], null, body)), "nodes.scan"],
    ["a Scan with other outputs than its body", looping({ ...loop, outputs: loop.outputs.slice(1) }), "nodes.scan"],
    ["a sequence of the rank of its slice", looping(scan("scan", ["x", "x"], null, body)), "nodes.scan"],
    [
      "a state of another dtype than its body's",
      looping({ ...loop, outputs: [{ dtype: "int32", shape: [null, 2] }, ...loop.outputs.slice(1)] }),
      "nodes.scan",
    ],
    [
      "a body that is not valid itself",
      looping({ ...loop, scan: { ...step, body: { ...body, nodes: [...body.nodes, c, c] } } }),
      "nodes.scan.body.nodes.c",
    ],
  ])("refuses %s", (_, graph, path) => {
    expect(findIssues(graph)).toContain(path);
  });

  it("reports every issue at once", () => {
    expect(findIssues({ ...valid, nodes: [y], outputs: [] })).toEqual([
      "nodes.y.inputs.0",
      "nodes.y.inputs.1",
      "inputs.0",
      "outputs",
    ]);
  });
});
