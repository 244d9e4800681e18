import { describe, expect, it } from "vitest";

import { captureError } from "../test/moments.js";
import { keepEverySteps, keepLatest, keepSteps } from "./keep-steps.js";

const candidates = [10, 15, 20, 25, 40].map((step) => ({ step, metrics: {} }));

describe("the policies that keep by step", () => {
  it.each([
    ["latest 2", keepLatest(2), [25, 40]],
    ["latest 9", keepLatest(9), [10, 15, 20, 25, 40]],
    ["every 20 steps", keepEverySteps(20), [20, 40]],
    ["every 7 steps", keepEverySteps(7), []],
    ["step 15, 40, 41", keepSteps(41, 15, 40, 15), [15, 40]],
  ])("%s", (description, policy, expected) => {
    expect(policy.select(candidates)).toEqual(expected);
    expect(policy.description).toBe(description);
  });
  it("keep nothing of nothing", () => {
    for (const policy of [keepLatest(2), keepEverySteps(2), keepSteps(2)]) expect(policy.select([])).toEqual([]);
  });
  it.each([
    ["keepLatest", () => keepLatest(0)],
    ["keepEverySteps", () => keepEverySteps(-5)],
    ["keepSteps", () => keepSteps()],
    ["keepSteps", () => keepSteps(1, 0)],
  ])("%s refuses what is not a positive integer", (option, make) =>
    expect(captureError(make)).toMatchObject({ code: "INVALID_OPTION", details: { option } }),
  );
});
