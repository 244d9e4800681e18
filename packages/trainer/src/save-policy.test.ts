import { isCkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { captureError, type Event, losses, savedSteps } from "../test/moments.js";
import type { MomentCause } from "./moment.js";
import { onImprovement } from "./on-improvement.js";
import {
  allOf,
  anyOf,
  atEnd,
  atSteps,
  everyEpochs,
  everySteps,
  onException,
  type SavePolicy,
  when,
} from "./save-policy.js";

const steps = (count: number): readonly Event[] =>
  Array.from({ length: count }, (_, index) => ({ step: index + 1, isEpochEnd: (index + 1) % 4 === 0 }));

function measured(...pairs: readonly (readonly [number, number])[]): readonly Event[] {
  return pairs.map(([loss, val_loss], index) => ({ step: index + 1, metrics: { loss, val_loss } }));
}

describe("everySteps", () => {
  it("saves at exact multiples", () => expect(savedSteps(everySteps(3), steps(10))).toEqual([3, 6, 9]));
  it.each([0, -1, 1.5, Number.NaN])("refuses %s", (n) =>
    expect(captureError(() => everySteps(n))).toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "everySteps" },
    }),
  );
});

describe("everyEpochs", () => {
  it("saves at the end of every n-th epoch and nowhere else", () =>
    expect(savedSteps(everyEpochs(2), steps(17))).toEqual([8, 16]));
});

describe("atSteps", () => {
  it("saves at the steps named, whatever their order", () =>
    expect(savedSteps(atSteps(9, 2, 5, 5), steps(10))).toEqual([2, 5, 9]));
  it("reads alike for equal sets of steps", () => {
    expect(atSteps(9, 2, 5, 5).description).toBe("at step 2, 5, 9");
    expect(atSteps(2, 5, 9).description).toBe("at step 2, 5, 9");
  });
  it.each([[], [0], [1, 2.5], [Number.NaN]])("refuses %j", (...list) =>
    expect(captureError(() => atSteps(...list))).toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "atSteps" },
    }),
  );
});

const ending = (cause: MomentCause): readonly Event[] => [...steps(3), { step: 3, cause }];

describe("atEnd and onException", () => {
  it.each<readonly [string, SavePolicy, MomentCause, readonly number[]]>([
    ["atEnd at the end", atEnd(), "end", [3]],
    ["atEnd not on an exception", atEnd(), "exception", []],
    ["onException on an exception", onException(), "exception", [3]],
    ["onException not at the end", onException(), "end", []],
  ])("%s", (_name, policy, cause, expected) => expect(savedSteps(policy, ending(cause))).toEqual(expected));
  it("combine with the others", () => {
    const policy = anyOf(everySteps(2), atEnd(), onException());
    expect(savedSteps(policy, ending("end"))).toEqual([2, 3]);
    expect(savedSteps(policy, ending("exception"))).toEqual([2, 3]);
    expect(policy.description).toBe("(every 2 steps or at the end of training or on an exception)");
  });
});

describe("allOf", () => {
  const classic = allOf(
    everySteps(2),
    onImprovement({ monitor: "val_loss" }),
    when(({ metrics }) => metrics.val_loss > metrics.loss),
  );
  it("expresses the classic rule", () =>
    expect(savedSteps(classic, measured([1, 5], [1, 4], [1, 3], [4, 3], [1, 3.5], [1, 3.5], [1, 2], [1, 3]))).toEqual([
      2, 6, 8,
    ]));

  it("compares with the best saved value, not with one that was passed over", () =>
    expect(savedSteps(allOf(everySteps(2), onImprovement({ monitor: "val_loss" })), losses(9, 5, 1, 4))).toEqual([
      2, 4,
    ]));

  it("names all its monitors and says what it does", () => {
    expect(classic.monitors).toEqual([{ monitor: "val_loss", mode: "min" }]);
    expect(classic.description).toBe("(every 2 steps and val_loss improved (min) and when a condition holds)");
  });

  it("refuses to be empty", () =>
    expect(
      isCkptError(
        captureError(() => allOf()),
        "INVALID_OPTION",
      ),
    ).toBe(true));
});

describe("anyOf", () => {
  it("saves when one would, and the others learn of it", () =>
    expect(savedSteps(anyOf(everySteps(3), onImprovement({ monitor: "val_loss" })), losses(5, 6, 2, 3, 1, 4))).toEqual([
      1, 3, 5, 6,
    ]));
  it("does not lower the bar for an improvement when a worse one is saved", () =>
    expect(savedSteps(anyOf(everySteps(2), onImprovement({ monitor: "val_loss" })), losses(2, 9, 5))).toEqual([1, 2]));
});

describe("when", () => {
  it("reads a metric that was not measured as NaN, so that comparisons are false", () => {
    const policy = when(({ metrics }) => metrics.val_loss < 3 || metrics.val_loss >= 3);
    expect(savedSteps(policy, [{ step: 1 }, { step: 2, metrics: { val_loss: 3 } }])).toEqual([2]);
  });
  it("sees the history", () =>
    expect(
      savedSteps(
        when(({ history }) => history.at(-1)?.step === 2),
        steps(3),
      ),
    ).toEqual([2]));
});
