import type { TensorSpec } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { productSize, type Size, staticSize } from "../ir/size.js";
import { fitSize } from "./fit-size.js";
import { listSizePlans } from "./size-plan.js";

// Three inputs with two open dimensions each, besides the batch: seven symbols.
const inputs = ["a", "b", "c"].map((name): TensorSpec => ({ name, dtype: "float32", shape: [null, null, null, 2] }));
const plans = listSizePlans(inputs).filter(({ isTied }) => !isTied);

function listProducts(count: number, degree: number, start = 0): number[][] {
  if (degree === 0) return [[]];
  return Array.from({ length: count - start }, (_, index) => start + index).flatMap((symbol) =>
    listProducts(count, degree - 1, symbol).map((rest) => [symbol].concat(rest)),
  );
}

describe.each(plans.map((plan, index) => ({ plan, index })))("sizes chosen by plan $index", ({ plan }) => {
  const symbols = plan.open.map(({ traced }) => ({ observed: traced }));
  const far = [...symbols.keys()];
  const observe = (chosen: readonly number[], coefficient: number, offset: number): number[] =>
    [0, 1, 2, 3].map(
      (trace) =>
        chosen.reduce((product, symbol) => product * (symbols[symbol]?.observed[trace] ?? 0), coefficient) + offset,
    );

  it("tell every multiple and sum from every other", () => {
    for (const symbol of far) {
      for (const coefficient of [1, 2, 3, 5, -1]) {
        for (const offset of [0, -3, 1, 20]) {
          const size = productSize([symbol], coefficient, offset);
          expect(fitSize(observe([symbol], coefficient, offset), { symbols, near: [], far })).toEqual(size);
        }
      }
    }
  });

  it("tell every product of up to four from every other", () => {
    for (const degree of [2, 3, 4]) {
      for (const chosen of listProducts(symbols.length, degree)) {
        for (const coefficient of [1, 2, 3, 6]) {
          const size = productSize(chosen, coefficient);
          expect(fitSize(observe(chosen, coefficient, 0), { symbols, near: [], far })).toEqual(size);
        }
      }
    }
  });
});

describe("a fitted size", () => {
  const symbols = [{ observed: [2, 3, 4, 3] }, { observed: [8, 9, 10, 12] }, { observed: [8, 9, 10, 12] }];
  const fit = (observed: readonly number[], near: readonly Size[] = [], far = [0, 1]): Size | undefined =>
    fitSize(observed, { symbols, near, far });

  it.each<[string, number[], Size | undefined]>([
    ["one that never changes", [7, 7, 7, 7], staticSize(7)],
    ["half of one", [4, 4, 5, 6], undefined],
    ["a sum of two", [10, 12, 14, 15], undefined],
    ["what holds in three of four traces", [8, 9, 10, 11], undefined],
  ])("of %s", (_, observed, size) => {
    expect(fit(observed)).toEqual(size);
  });

  it("is a near one where two are alike", () => {
    expect(fit([8, 9, 10, 12], [productSize([2])])).toEqual(productSize([2]));
    expect(fit([16, 18, 20, 24], [productSize([2], 3)])).toEqual(productSize([2], 2));
    expect(fit([16, 27, 40, 36], [productSize([0, 2])])).toEqual(productSize([0, 2]));
  });

  it("is made of symbols that may be used only", () => {
    expect(fit([8, 9, 10, 12], [], [0])).toBeUndefined();
  });
});
