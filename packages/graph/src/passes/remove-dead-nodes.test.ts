import { describe, expect, it } from "vitest";

import { constant, makeGraph, node } from "../../test/make-graph.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

describe("removeDeadNodes", () => {
  it("removes what no output needs, but no input", () => {
    const nodes = [
      node("Placeholder", "x", [], [null, 2]),
      node("Placeholder", "unused", [], [null, 2]),
      constant("c", [2]),
      constant("dead constant", [2]),
      node("Mul", "y", ["x", "c"], [null, 2]),
      node("Neg", "dead", ["y"], [null, 2]),
      node("Neg", "dead too", ["dead"], [null, 2]),
    ];
    expect(removeDeadNodes(makeGraph(nodes, ["y"])).nodes.map(({ name }) => name)).toEqual(["x", "unused", "c", "y"]);
  });
});
