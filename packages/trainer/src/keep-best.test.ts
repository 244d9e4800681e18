import { describe, expect, it } from "vitest";

import { captureError } from "../test/moments.js";
import { keepBest } from "./keep-best.js";

const candidates = [5, 1, 4, 1, Number.NaN, 9].map((val_loss, index) => ({ step: index + 1, metrics: { val_loss } }));

describe("keepBest", () => {
  it("keeps the k best, the older of equals first", () => {
    expect(keepBest(1, { monitor: "val_loss" }).select(candidates)).toEqual([2]);
    expect(keepBest(3, { monitor: "val_loss" }).select(candidates)).toEqual([2, 4, 3]);
    expect(keepBest(9, { monitor: "val_loss", mode: "max" }).select(candidates)).toEqual([6, 1, 3, 2, 4]);
  });
  it("says what decides", () =>
    expect(keepBest(3, { monitor: "val_loss" }).description).toBe("best 3 by val_loss (min)"));
  it.each([0, 1.5])("refuses a k of %s", (k) =>
    expect(captureError(() => keepBest(k, { monitor: "val_loss" }))).toMatchObject({ details: { option: "keepBest" } }),
  );
});
