import { describe, expect, it } from "vitest";

import { compareOutputs, mergeErrors } from "./compare-outputs.js";

const compare = (expected: number[], found: number[]): ReturnType<typeof compareOutputs> =>
  compareOutputs(new Float32Array(expected), new Float32Array(found));

describe("compareOutputs", () => {
  it("gives the largest absolute and the largest relative error, of whichever elements", () => {
    expect(compare([100, 0.5, -4], [101, 0.25, -4])).toEqual({
      maxAbsoluteError: 1,
      maxRelativeError: 0.5,
      magnitude: 100,
    });
  });

  it("measures relative error near zero against 1e-6", () => {
    expect(compare([0], [0.5]).maxRelativeError).toBe(0.5 / 1e-6);
  });

  it("takes equal values that are not finite for equal", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    expect(compare([nan, infinity, 2], [nan, infinity, 2])).toEqual({
      maxAbsoluteError: 0,
      maxRelativeError: 0,
      magnitude: 2,
    });
  });

  it.each([
    [[Number.NaN], [0]],
    [[0], [Number.NaN]],
    [[0], [Number.POSITIVE_INFINITY]],
    [[Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY]],
    [[1, 2], [1]],
  ])("is infinite for %o against %o", (expected, found) => {
    expect(compare(expected, found).maxAbsoluteError).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("mergeErrors", () => {
  it("keeps the larger of each", () => {
    expect(
      mergeErrors(
        { maxAbsoluteError: 1, maxRelativeError: 4, magnitude: 5 },
        { maxAbsoluteError: 2, maxRelativeError: 3, magnitude: 6 },
      ),
    ).toEqual({ maxAbsoluteError: 2, maxRelativeError: 4, magnitude: 6 });
  });
});
