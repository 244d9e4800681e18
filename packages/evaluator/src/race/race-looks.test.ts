import { expect, it } from "vitest";

import { listLooks } from "./race-looks.js";

it("looks after 128 rows, then after half as many again, up to an eighth of all rows", () => {
  expect(listLooks(10_000)).toEqual([128, 256, 384, 512, 768, 1152, 1250]);
  expect(listLooks(800)).toEqual([100]);
  expect(listLooks(1)).toEqual([1]);
  const many = listLooks(1_000_000);
  expect(many.at(-1)).toBe(125_000);
  expect(many.length).toBeLessThan(22);
});
