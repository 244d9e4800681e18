import { describe, expect, it } from "vitest";

import { productSize, staticSize } from "../ir/size.js";
import { AmbiguousSizes, createSizeFitter } from "./size-fitter.js";

const [batch, time] = [productSize([0]), productSize([1])];
const open = [
  [2, 3, 4, 3],
  [8, 9, 10, 12],
];

describe("a size of a result", () => {
  it("follows from those of the arguments, whatever else it equals", () => {
    const { fitComputed } = createSizeFitter(open);
    expect(fitComputed({ observed: [6, 7, 8, 10], near: [time] }, true)).toEqual(productSize([1], 1, -2));
    expect(fitComputed({ observed: [5, 5, 5, 5], near: [time] }, true)).toEqual(staticSize(5));
  });

  it("is a new symbol where it is rounded, and known from then on to what is told a size", () => {
    const { fitComputed, fitRequested, symbols } = createSizeFitter(open);
    expect(fitComputed({ observed: [4, 5, 5, 6], near: [time] }, true)).toEqual(productSize([2]));
    expect(symbols[2]).toEqual({ observed: [4, 5, 5, 6], roots: new Set([1]), isLive: true });
    expect(fitRequested({ observed: [12, 15, 15, 18], near: [] })).toEqual(productSize([2], 3));
  });

  it("is not known to others where it is not used", () => {
    const { fitComputed, fitRequested } = createSizeFitter(open);
    fitComputed({ observed: [4, 5, 5, 6], near: [time] }, false);
    expect(fitRequested({ observed: [12, 15, 15, 18], near: [] })).toBeUndefined();
  });

  it.each([
    ["it is nearly the same for all", [2, 2, 2, 3]],
    ["it is like one that it has nothing to do with", [5, 7, 9, 7]],
  ])("is ambiguous where %s", (_, observed) => {
    const { fitComputed } = createSizeFitter(open);
    expect(() => fitComputed({ observed, near: [time] }, true)).toThrow(AmbiguousSizes);
  });

  it("is ambiguous where only two batches say that it is less by one", () => {
    const { fitComputed } = createSizeFitter([[2, 3]]);
    expect(fitComputed({ observed: [4, 6], near: [batch] }, true)).toEqual(productSize([0], 2));
    expect(() => fitComputed({ observed: [1, 2], near: [batch] }, true)).toThrow(AmbiguousSizes);
  });
});
