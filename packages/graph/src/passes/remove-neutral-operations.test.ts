import { describe, expect, it } from "vitest";

import { constant, ints, listOps, makeGraph, node } from "../../test/make-graph.js";
import type { Node } from "../ir/graph.js";
import { removeNeutralOperations } from "./remove-neutral-operations.js";

const x = node("Placeholder", "x", [], [null, 3]);
const [zero, one] = [constant("zero", [], [0]), constant("one", [3], [1, 1, 1])];

function run(...nodes: readonly Node[]): string[] {
  return listOps(removeNeutralOperations(makeGraph([x, zero, one, ...nodes], [nodes.at(-1)?.name ?? ""])));
}

describe("removeNeutralOperations", () => {
  it.each([
    ["AddV2", ["x", "zero"]],
    ["AddV2", ["zero", "x"]],
    ["Sub", ["x", "zero"]],
    ["Mul", ["x", "one"]],
    ["Mul", ["one", "x"]],
    ["RealDiv", ["x", "one"]],
  ] as const)("removes %s of %j", (op, inputs) => {
    const graph = removeNeutralOperations(makeGraph([x, zero, one, node(op, "y", inputs, [null, 3])], ["y"]));
    expect(graph.outputs[0]?.value.node).toBe("x");
  });

  it.each([
    ["Sub", ["zero", "x"]],
    ["RealDiv", ["one", "x"]],
    ["Mul", ["x", "zero"]],
    ["AddV2", ["x", "one"]],
    ["Maximum", ["x", "zero"]],
  ] as const)("keeps %s of %j", (op, inputs) => {
    expect(run(node(op, "y", inputs, [null, 3]))).toEqual(["Placeholder", op]);
  });

  it("keeps a product that broadcasts to a larger shape, or to one that is not known to be the same", () => {
    const ones = constant("ones", [2, 1, 3], [1, 1, 1, 1, 1, 1]);
    expect(run(ones, node("Mul", "y", ["x", "ones"], [2, null, 3]))).toEqual(["Placeholder", "Mul"]);
    const rows = constant(
      "rows",
      [4, 3],
      Array.from({ length: 12 }, () => 1),
    );
    expect(run(rows, node("Mul", "y", ["x", "rows"], [4, 3]))).toEqual(["Placeholder", "Mul"]);
  });

  it("keeps weights, and products with all but a few ones", () => {
    const bias = constant("bias", [3], [0, 0, 0], "dense/bias");
    expect(run(bias, node("BiasAdd", "y", ["x", "bias"], [null, 3]))).toEqual(["Placeholder", "BiasAdd"]);
    const most = constant("most", [3], [1, 1, 1.5]);
    expect(run(most, node("Mul", "y", ["x", "most"], [null, 3]))).toEqual(["Placeholder", "Mul"]);
  });

  it("removes a sum of integers too", () => {
    const integer = {
      ...node("Placeholder", "n", [], [null, 3]),
      outputs: [{ dtype: "int32", shape: [null, 3] }],
    } as const;
    const nought = ints("nought", [0]);
    const sum = { ...node("AddV2", "y", ["n", "nought"], [null, 3]), outputs: integer.outputs };
    const graph = removeNeutralOperations(makeGraph([integer, nought, sum], ["y"]));
    expect(graph.outputs[0]?.value.node).toBe("n");
  });
});
