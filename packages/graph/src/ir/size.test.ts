import { describe, expect, it } from "vitest";

import { equalSizes, fitSize, staticSize, toSymbolicShape } from "./size.js";

describe("a fitted size", () => {
  it.each([
    [7, 7, { scale: 0, offset: 7 }],
    [2, 3, { scale: 1, offset: 0 }],
    [8, 12, { scale: 4, offset: 0 }],
    [5, 7, { scale: 2, offset: 1 }],
    [1, 2, { scale: 1, offset: -1 }],
  ])("of %i at batch 2 and %i at batch 3 is %j", (first, second, size) => {
    expect(fitSize(first, second, 2, 3)).toEqual(size);
  });

  it("is open in a shape unless it is static", () => {
    const batch = fitSize(2, 3, 2, 3);
    expect(toSymbolicShape([batch, staticSize(4)])).toEqual([null, 4]);
    expect(equalSizes(batch, staticSize(2))).toBe(false);
    expect(equalSizes(batch, { scale: 1, offset: 0 })).toBe(true);
  });
});
