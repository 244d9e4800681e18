import { expect, it } from "vitest";

import { layOutFractions } from "./fractions.js";

it("lays roles end to end in one order, whatever the order they are written in", () => {
  const ranges = layOutFractions({ test: 0.25, train: 0.5, validation: 0.25 }, "fractions");
  expect(ranges).toEqual([
    { role: "train", end: 0.5 },
    { role: "validation", end: 0.75 },
    { role: "test", end: 1 },
  ]);
});

it("ends at exactly 1 although the sum is not", () => {
  expect(0.7 + 0.1 + 0.1 + 0.1).not.toBe(1);
  expect(layOutFractions({ train: 0.7, validation: 0.1, select: 0.1, test: 0.1 }, "fractions").at(-1)?.end).toBe(1);
});

it.each([{}, { train: 0.9 }, { train: 1, test: 0.1 }, { train: 1.5, test: -0.5 }, { train: NaN }, { dev: 1 }])(
  "refuses %j",
  (fractions) => {
    expect(() => layOutFractions(fractions, "fractions")).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  },
);
