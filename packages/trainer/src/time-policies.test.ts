import { describe, expect, it } from "vitest";

import { captureError, type Event, savedSteps } from "../test/moments.js";
import { allOf } from "./save-policy.js";
import { everySeconds, whenIdle } from "./time-policies.js";

const times = (...seconds: readonly number[]): readonly Event[] =>
  seconds.map((secondsSinceSave, index) => ({ step: index + 1, secondsSinceSave }));

describe("everySeconds", () => {
  it("saves once the time has passed", () =>
    expect(savedSteps(everySeconds(60), times(0, 59.999, 60, 61, 0))).toEqual([3, 4]));
  it("takes parts of a second, and says how many", () =>
    expect(everySeconds(0.5).description).toBe("0.5 seconds after the last save"));
  it.each([0, -1, Number.NaN, Infinity])("refuses %s", (n) =>
    expect(captureError(() => everySeconds(n))).toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "everySeconds" },
    }),
  );
});

describe("whenIdle", () => {
  const events: readonly Event[] = [
    { step: 1, isIdle: true, secondsSinceSave: 9 },
    { step: 2, isIdle: false, secondsSinceSave: 10 },
    { step: 3, isIdle: true, secondsSinceSave: 11 },
  ];
  it("saves unless a checkpoint is being written", () => expect(savedSteps(whenIdle(), events)).toEqual([1, 3]));
  it("waits for the least time between two saves", () =>
    expect(savedSteps(allOf(whenIdle(), everySeconds(10)), events)).toEqual([3]));
});
