import { describe, expect, it } from "vitest";

import { captureError, type Event, losses, savedSteps } from "../test/moments.js";
import { onImprovement } from "./on-improvement.js";
import { allOf, anyOf, atEnd, everySteps, type SavePolicy } from "./save-policy.js";

const monitor = "val_loss";

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

  it.each<readonly [string, SavePolicy, readonly Event[], readonly number[]]>([
    ["needs to beat the baseline first", onImprovement({ monitor, baseline: 2 }), losses(3, 2, 1.9, 1.95, 1), [3, 5]],
    [
      "needs to beat the baseline by more than minDelta",
      onImprovement({ monitor, baseline: 2, minDelta: 0.5 }),
      losses(1.6, 1.5, 1.4, 1, 0.8),
      [3, 5],
    ],
    [
      "takes nothing up to and including the warm-up's last step",
      onImprovement({ monitor, warmUpSteps: 2 }),
      losses(1, 0.5, 4, 3),
      [3, 4],
    ],
    [
      "is not held to what another policy saved during the warm-up",
      anyOf(everySteps(2), onImprovement({ monitor, warmUpSteps: 2 })),
      losses(9, 0.5, 4, 5, 3),
      [2, 3, 4, 5],
    ],
    [
      "is held to the baseline though another policy saved what misses it",
      anyOf(everySteps(2), onImprovement({ monitor, baseline: 2 })),
      losses(9, 5, 3, 4, 1.5),
      [2, 4, 5],
    ],
    [
      "measures minDelta by the size of a positive best",
      onImprovement({ monitor, minDelta: { relative: 0.1 } }),
      losses(10, 9, 8.9, 8.1, 8),
      [1, 3, 5],
    ],
    [
      "measures minDelta by the size of a negative best",
      onImprovement({ monitor, minDelta: { relative: 0.1 } }),
      losses(-10, -11, -11.1, -12.2, -12.3),
      [1, 3, 5],
    ],
    [
      "does so upwards as well",
      onImprovement({ monitor, mode: "max", minDelta: { relative: 0.5 } }),
      losses(-4, -2, -1.9, 0, 0.1),
      [1, 3, 4, 5],
    ],
    [
      "asks for any improvement on a best of 0",
      onImprovement({ monitor, minDelta: { relative: 0.5 } }),
      losses(0, 0, -1e-300),
      [1, 3],
    ],
    // Averages 8, 6, 5, 6.5, 5.25, 4.625.
    ["compares averages", onImprovement({ monitor, smoothing: 0.5 }), losses(8, 4, 4, 8, 4, 4), [1, 2, 3, 6]],
    [
      // Averages 8, 6, 7, 5.5, 4.75 of the finite ones.
      "leaves what is not finite out of the average, and never takes it",
      onImprovement({ monitor, smoothing: 0.5 }),
      losses(Number.NaN, 8, -Infinity, 4, Number.NaN, 8, Infinity, 4, 4),
      [2, 4, 8, 9],
    ],
    [
      "begins the average in the warm-up",
      onImprovement({ monitor, smoothing: 0.5, warmUpSteps: 1, baseline: 5 }),
      losses(8, 4, 3.9),
      [3],
    ],
    // Averages 8, 6, 6: the third is no better than the second, but that was not saved.
    [
      "goes on with the average where nothing is saved",
      allOf(everySteps(3), onImprovement({ monitor, smoothing: 0.5, baseline: 6.5 })),
      losses(8, 4, 6),
      [3],
    ],
    [
      "counts a metric once, though its moment comes again at the end",
      allOf(atEnd(), onImprovement({ monitor, smoothing: 0.5, baseline: 5.5 })),
      [...losses(8, 4), { step: 2, cause: "end", metrics: { val_loss: 4 } }],
      [],
    ],
    [
      "takes at the end what was passed over at the update",
      allOf(atEnd(), onImprovement({ monitor })),
      [...losses(8, 4), { step: 2, cause: "end", metrics: { val_loss: 4 } }],
      [2],
    ],
  ])("%s", (_name, policy, events, expected) => expect(savedSteps(policy, events)).toEqual(expected));

  it("says everything that decides, and nothing that does not", () => {
    expect(onImprovement({ monitor }).description).toBe("val_loss improved (min)");
    expect(onImprovement({ monitor, minDelta: { relative: 0 }, warmUpSteps: 0, smoothing: 0 }).description).toBe(
      "val_loss improved (min)",
    );
    expect(onImprovement({ monitor, minDelta: 0.5, baseline: 2, warmUpSteps: 100, smoothing: 0.9 }).description).toBe(
      "val_loss improved (min, by more than 0.5, baseline 2, after step 100, smoothed by 0.9)",
    );
    expect(onImprovement({ monitor, minDelta: { relative: 0.5 } }).description).toBe(
      "val_loss improved (min, by more than 0.5 times the size of the value to beat)",
    );
  });

  it.each([
    ["minDelta", { minDelta: -1 }],
    ["minDelta", { minDelta: Number.NaN }],
    ["minDelta", { minDelta: { relative: Infinity } }],
    ["baseline", { baseline: Number.NaN }],
    ["warmUpSteps", { warmUpSteps: -1 }],
    ["warmUpSteps", { warmUpSteps: 1.5 }],
    ["smoothing", { smoothing: 1 }],
    ["smoothing", { smoothing: -0.1 }],
  ])("refuses %s in %j", (option, options) =>
    expect(captureError(() => onImprovement({ monitor, ...options }))).toMatchObject({
      code: "INVALID_OPTION",
      details: { option },
    }),
  );
});
