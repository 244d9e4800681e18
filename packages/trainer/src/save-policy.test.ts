import { isCkptError, type Json, type Metrics } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import type { Moment } from "./moment.js";
import { onImprovement } from "./on-improvement.js";
import { allOf, anyOf, everyEpochs, everySteps, type SavePolicy, when } from "./save-policy.js";

interface Event {
  readonly step: number;
  readonly metrics?: Metrics;
  readonly isEpochEnd?: boolean;
}

/** Runs a policy over events, four steps an epoch; its state goes through JSON each time, as in a checkpoint. */
function savedSteps(policy: SavePolicy, events: readonly Event[]): readonly number[] {
  let state: Json = policy.initialState;
  const saved: number[] = [];
  for (const { step, metrics = {}, isEpochEnd = false } of events) {
    const epoch = Math.floor(step / 4);
    const moment: Moment = { step, epoch, isEpochEnd, metrics, history: [{ step, epoch, metrics }] };
    const isSaved = policy.shouldSave(moment, state);
    if (isSaved) saved.push(step);
    state = JSON.parse(JSON.stringify(policy.advance(moment, isSaved, state))) as Json;
  }
  return saved;
}

const losses = (...values: readonly number[]): readonly Event[] =>
  values.map((value, index) => ({ step: index + 1, metrics: { val_loss: value } }));
const steps = (count: number): readonly Event[] =>
  Array.from({ length: count }, (_, index) => ({ step: index + 1, isEpochEnd: (index + 1) % 4 === 0 }));

function measured(...pairs: readonly (readonly [number, number])[]): readonly Event[] {
  return pairs.map(([loss, val_loss], index) => ({ step: index + 1, metrics: { loss, val_loss } }));
}

function captureError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
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

describe("onImprovement", () => {
  const improved = onImprovement({ monitor: "val_loss" });

  it.each<readonly [string, SavePolicy, readonly Event[], readonly number[]]>([
    ["saves what is better than the best so far", improved, losses(3, 4, 2, 2.5, 1), [1, 3, 5]],
    ["keeps the older of equals", improved, losses(3, 3, 3), [1]],
    ["never takes NaN or an infinity", improved, losses(Number.NaN, -Infinity, 3, Number.NaN, Infinity, 2), [3, 6]],
    ["saves nothing where the metric is absent", improved, [{ step: 1 }, { step: 2, metrics: { val_loss: 3 } }], [2]],
    [
      "asks for more than minDelta",
      onImprovement({ monitor: "val_loss", minDelta: 0.5 }),
      losses(3, 2.5, 2.4, 2, 1),
      [1, 3, 5],
    ],
    [
      "maximizes a known score",
      onImprovement({ monitor: "val_acc" }),
      [0.5, 0.4, 0.6].map((value, i) => ({ step: i + 1, metrics: { val_acc: value } })),
      [1, 3],
    ],
    [
      "maximizes an unknown one when told to",
      onImprovement({ monitor: "score", mode: "max" }),
      [1, 2, 1].map((value, i) => ({ step: i + 1, metrics: { score: value } })),
      [1, 2],
    ],
  ])("%s", (_name, policy, events, expected) => expect(savedSteps(policy, events)).toEqual(expected));

  it.each(["f1_acc", "val_lossy", "accuracyLoss", "score"])("does not guess the direction of %s", (monitor) =>
    expect(captureError(() => onImprovement({ monitor }))).toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "mode" },
    }),
  );

  it("refuses a negative minDelta", () =>
    expect(
      isCkptError(
        captureError(() => onImprovement({ monitor: "loss", minDelta: -1 })),
        "INVALID_OPTION",
      ),
    ).toBe(true));
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
