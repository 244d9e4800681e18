import type { Json } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { captureError, createMoment, type Event, losses, measure, savedSteps } from "../test/moments.js";
import { amongBest } from "./among-best.js";
import { allOf, anyOf, everySteps, type SavePolicy } from "./save-policy.js";

const monitor = "val_loss";
const bestTwo = amongBest(2, { monitor });

describe("amongBest", () => {
  it.each<readonly [string, SavePolicy, readonly Event[], readonly number[]]>([
    [
      "saves the first k, then what is better than the worst of the best k",
      bestTwo,
      losses(3, 5, 4, 6, 3.5, 1),
      [1, 2, 3, 5, 6],
    ],
    ["does not save an equal of the worst", bestTwo, losses(3, 5, 5, 3, 3), [1, 2, 4]],
    ["fills its places with equals", bestTwo, losses(3, 3, 3), [1, 2]],
    ["never takes NaN or an infinity", bestTwo, losses(Number.NaN, -Infinity, 3, Infinity, 4), [3, 5]],
    ["saves nothing where the metric is absent", bestTwo, [{ step: 1 }, ...losses(3)], [1]],
    ["maximizes", amongBest(2, { monitor: "val_acc" }), measure("val_acc", [0.5, 0.7, 0.6, 0.6, 0.8]), [1, 2, 3, 5]],
    ["is plain improvement for one", amongBest(1, { monitor }), losses(3, 4, 2, 2, 1), [1, 3, 5]],
    ["knows only what was saved", allOf(everySteps(2), bestTwo), losses(1, 9, 1, 8, 1, 7), [2, 4, 6]],
    ["knows what another policy saved", anyOf(everySteps(3), bestTwo), losses(2, 1, 9, 1.5, 8), [1, 2, 3, 4]],
  ])("%s", (_name, policy, events, expected) => expect(savedSteps(policy, events)).toEqual(expected));

  it("remembers the best k saved values and nothing else", () => {
    let state: Json = bestTwo.initialState;
    for (const event of losses(3, 5, 4, 1)) state = bestTwo.advance(createMoment(event), true, state);
    expect(state).toEqual([1, 3]);
    expect(bestTwo.advance(createMoment({ step: 5, metrics: { val_loss: 0 } }), false, state)).toEqual([1, 3]);
  });

  it("says what decides", () => {
    expect(bestTwo.description).toBe("among the best 2 saved so far by val_loss (min)");
    expect(bestTwo.monitors).toEqual([{ monitor, mode: "min" }]);
  });

  it.each([0, 1.5])("refuses a k of %s", (k) =>
    expect(captureError(() => amongBest(k, { monitor }))).toMatchObject({ details: { option: "amongBest" } }),
  );
});
