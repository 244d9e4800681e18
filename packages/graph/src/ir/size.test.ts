import { describe, expect, it } from "vitest";

import {
  addSizes,
  equalSizes,
  evaluateSize,
  findSymbol,
  isSizeOf,
  productSize,
  staticSize,
  toSymbolicShape,
} from "./size.js";

const [batch, time] = [productSize([0]), productSize([1])];

describe("a size", () => {
  it("is open in a shape unless it is static", () => {
    expect(toSymbolicShape([batch, staticSize(4), productSize([0, 1])])).toEqual([null, 4, null]);
  });

  it("is a number where its symbols have values", () => {
    expect(evaluateSize(productSize([1, 0, 1], 2, 5), (symbol) => [3, 7][symbol] ?? 0)).toBe(2 * 3 * 7 * 7 + 5);
  });

  it("adds up", () => {
    const sum = addSizes(addSizes(batch, time), staticSize(2));
    expect(evaluateSize(sum, (symbol) => [3, 7][symbol] ?? 0)).toBe(12);
    expect(equalSizes(sum, addSizes(staticSize(2), addSizes(time, batch)))).toBe(true);
    expect(isSizeOf(addSizes(batch, productSize([0], -1, 4)), 4)).toBe(true);
  });

  it("equals what is the same in every run only", () => {
    expect(equalSizes(batch, productSize([0]))).toBe(true);
    expect(equalSizes(batch, time)).toBe(false);
    expect(equalSizes(batch, productSize([0], 1, 1))).toBe(false);
    expect(equalSizes(productSize([0, 1]), productSize([1, 0]))).toBe(true);
    expect(equalSizes(productSize([0]), productSize([0, 0]))).toBe(false);
  });

  it("is a symbol or made of some", () => {
    expect(
      [batch, time, productSize([0], 2), productSize([0], 1, 1), productSize([0, 1]), staticSize(0)].map(findSymbol),
    ).toEqual([0, 1, undefined, undefined, undefined, undefined]);
  });
});
