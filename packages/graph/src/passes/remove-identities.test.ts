import { describe, expect, it } from "vitest";

import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";
import { removeIdentities } from "./remove-identities.js";

const x = node("Placeholder", "x", [], [null, 6]);

describe("removeIdentities", () => {
  it("connects the users and the outputs of an Identity to its source", () => {
    const graph = removeIdentities(
      makeGraph(
        [
          x,
          node("Identity", "a", ["x"], [null, 6]),
          node("Identity", "b", ["a"], [null, 6]),
          node("Neg", "c", ["b"], [null, 6]),
        ],
        ["c", "b"],
      ),
    );
    expect(listOps(graph)).toEqual(["Placeholder", "Neg"]);
    expect(graph.nodes[1]?.inputs).toEqual([{ node: "x", output: 0 }]);
    expect(graph.outputs).toEqual([
      { name: "c", value: { node: "c", output: 0 } },
      { name: "b", value: { node: "x", output: 0 } },
    ]);
  });

  it("keeps the output that an Identity stood for", () => {
    const parts = { ...node("Unpack", "parts", ["x"], [null]), outputs: [x.outputs[0]!, x.outputs[0]!] };
    const graph = removeIdentities(
      makeGraph(
        [x, parts, node("Identity", "second", ["parts:1"], [null, 6]), node("Neg", "y", ["second"], [null, 6])],
        ["y"],
      ),
    );
    expect(graph.nodes.at(-1)?.inputs).toEqual([{ node: "parts", output: 1 }]);
  });

  it("removes a cast to the same dtype and no other", () => {
    const toInt = {
      ...node("Cast", "int", ["float"], [null, 6]),
      outputs: [{ dtype: "int32", shape: [null, 6] }],
    } as const;
    const graph = removeIdentities(makeGraph([x, node("Cast", "float", ["x"], [null, 6]), toInt], ["int"]));
    expect(listOps(graph)).toEqual(["Placeholder", "Cast"]);
  });

  it("removes a product with ones made of the value itself, and no other", () => {
    const nodes = [
      x,
      node("Placeholder", "row", [], [1, 6]),
      node("OnesLike", "ones", ["x"], [null, 6]),
      node("Mul", "a", ["x", "ones"], [null, 6]),
      node("Mul", "b", ["ones", "a"], [null, 6]),
      node("Mul", "wide", ["row", "ones"], [null, 6]),
    ];
    const graph = removeDeadNodes(removeIdentities(makeGraph(nodes, ["b", "wide"])));
    expect(listOps(graph)).toEqual(["Placeholder", "Placeholder", "OnesLike", "Mul"]);
    expect(graph.outputs.map(({ value }) => value.node)).toEqual(["x", "wide"]);
  });

  it("keeps the last of a chain of reshapes, or none if it leads back", () => {
    const first = [ints("first", [-1, 2, 3]), node("Reshape", "a", ["x", "first"], [null, 2, 3])];
    const second = [ints("second", [-1, 3, 2]), node("Reshape", "b", ["a", "second"], [null, 3, 2])];
    const third = [ints("third", [-1, 6]), node("Reshape", "c", ["b", "third"], [null, 6])];
    const two = removeDeadNodes(removeIdentities(makeGraph([x, ...first, ...second], ["b"])));
    expect(listOps(two)).toEqual(["Placeholder", "Reshape"]);
    expect(two.nodes.at(-1)?.inputs.map(({ node: name }) => name)).toEqual(["x", "second"]);
    const three = removeDeadNodes(removeIdentities(makeGraph([x, ...first, ...second, ...third], ["c"])));
    expect(three.outputs[0]?.value.node).toBe("x");
  });

  it("keeps the first of two reshapes where it is used itself", () => {
    const nodes = [
      x,
      ints("first", [-1, 2, 3]),
      ints("second", [-1, 3, 2]),
      node("Reshape", "a", ["x", "first"], [null, 2, 3]),
      node("Reshape", "b", ["a", "second"], [null, 3, 2]),
    ];
    expect(listOps(removeDeadNodes(removeIdentities(makeGraph(nodes, ["a", "b"]))))).toEqual([
      "Placeholder",
      "Reshape",
      "Reshape",
    ]);
  });

  it("keeps a reshape between shapes with two open sizes, which may trade factors", () => {
    const open = node("Placeholder", "x", [], [null, null]);
    const shape = { ...constant("shape", [2]), op: "Const" };
    expect(
      listOps(removeIdentities(makeGraph([open, shape, node("Reshape", "y", ["x", "shape"], [null, null])], ["y"]))),
    ).toEqual(["Placeholder", "Reshape"]);
  });
});
