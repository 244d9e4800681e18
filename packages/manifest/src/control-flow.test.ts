import { describe, expect, it } from "vitest";

import { hasControlFlow } from "./control-flow.js";

describe("hasControlFlow", () => {
  it.each([
    [{ node: [{ op: "Placeholder" }, { op: "StatelessWhile" }] }, true],
    [{ node: [{ op: "Placeholder" }, { op: "MatMul" }] }, false],
    [{}, false],
    [undefined, false],
  ])("says of %j: %s", (topology, expected) => {
    expect(hasControlFlow(topology)).toBe(expected);
  });
});
