import { describe, expect, it } from "vitest";

import { captureError, createMoment, type Event, findStop, losses, measure } from "../test/moments.js";
import { earlyStopping, type EarlyStoppingOptions } from "./early-stopping.js";
import type { StopPolicy } from "./stop-policy.js";

const stopping = (options: Partial<EarlyStoppingOptions> & { readonly patience: number }): StopPolicy =>
  earlyStopping({ monitor: "val_loss", ...options });
const unmeasured = (from: number, count: number): readonly Event[] =>
  Array.from({ length: count }, (_, index) => ({ step: from + index }));

describe("earlyStopping", () => {
  it.each<readonly [string, StopPolicy, readonly Event[], number | undefined]>([
    ["stops after so many without an improvement", stopping({ patience: 2 }), losses(3, 2, 2.5, 2.1, 1), 4],
    ["counts anew after each improvement", stopping({ patience: 2 }), losses(3, 4, 2, 4, 1, 4, 5), 7],
    ["does not stop while there are improvements", stopping({ patience: 1 }), losses(5, 4, 3, 2), undefined],
    ["takes an equal value for none", stopping({ patience: 1 }), losses(3, 3), 2],
    ["takes NaN for none", stopping({ patience: 2 }), losses(3, Number.NaN, Number.NaN), 3],
    ["takes an infinity for none", stopping({ patience: 2 }), losses(3, -Infinity, -Infinity), 3],
    ["can stop at the first", stopping({ patience: 1 }), losses(Number.NaN, 3), 1],
    ["goes on after a NaN that comes first", stopping({ patience: 2 }), losses(Number.NaN, 3, 2, 1), undefined],
    [
      "does not count where nothing was measured",
      stopping({ patience: 2 }),
      [...losses(3, 4), ...unmeasured(3, 9), { step: 12, metrics: { val_loss: 4 } }],
      12,
    ],
    [
      "does not count another metric",
      stopping({ patience: 1 }),
      [...losses(3), { step: 2, metrics: { loss: 9 } }],
      undefined,
    ],
    [
      "counts a step once",
      stopping({ patience: 2 }),
      [...losses(3, 4), { step: 2, cause: "end", metrics: { val_loss: 4 } }],
      undefined,
    ],
    ["asks for more than minDelta", stopping({ patience: 2, minDelta: 0.5 }), losses(3, 2.5, 2.5), 3],
    ["adds small improvements up", stopping({ patience: 2, minDelta: 0.5 }), losses(3, 2.7, 2.4, 2.2, 1.8), undefined],
    [
      "measures a relative minDelta by the best",
      stopping({ patience: 1, minDelta: { relative: 0.1 } }),
      losses(-10, -11.1, -12.2),
      3,
    ],
    ["waits for the baseline to be beaten", stopping({ patience: 3, baseline: 2 }), losses(4, 3, 2, 1), 3],
    ["goes on once it was", stopping({ patience: 3, baseline: 2 }), losses(4, 3, 1, 1.5, 1.2), undefined],
    [
      "counts nothing up to and including the warm-up's last step",
      stopping({ patience: 2, warmUpSteps: 3 }),
      losses(1, 2, 3, 9, 9, 9),
      6,
    ],
    // Averages 8, 6, 7, 5.5, 6.75.
    ["compares averages", stopping({ patience: 1, smoothing: 0.5 }), losses(8, 4), undefined],
    ["stops by averages", stopping({ patience: 2, smoothing: 0.5 }), losses(8, 4, 8, 4, 8, 8), 6],
    [
      "maximizes",
      earlyStopping({ monitor: "val_acc", patience: 2 }),
      measure("val_acc", [0.5, 0.6, 0.6, 0.55, 0.7]),
      4,
    ],
  ])("%s", (_name, policy, events, expected) => expect(findStop(policy, events)?.step).toBe(expected));

  it.each<readonly [string, StopPolicy, readonly Event[]]>([
    [
      "val_loss did not improve for 2 measurements; best 0.25 at step 2",
      stopping({ patience: 2 }),
      losses(1, 0.25, 1, 1),
    ],
    [
      "val_loss did not improve for 1 measurement; best average 6 at step 2",
      stopping({ patience: 1, smoothing: 0.5 }),
      losses(8, 4, 8),
    ],
    [
      "val_loss did not improve for 2 measurements; none was finite",
      stopping({ patience: 2 }),
      losses(Number.NaN, Infinity),
    ],
    [
      "val_loss did not improve for 2 measurements; none beat the baseline 2",
      stopping({ patience: 2, baseline: 2 }),
      losses(4, 3),
    ],
  ])("says why: %s", (text, policy, events) => expect(findStop(policy, events)?.stop).toBe(text));

  it("says so again where a run goes on after it had stopped", () => {
    const policy = stopping({ patience: 1 });
    let state = policy.initialState;
    for (const event of losses(1, 2)) ({ state } = policy.advance(createMoment(event), state));
    expect(policy.advance(createMoment({ step: 3 }), state).stop).toMatch("best 1 at step 1");
  });

  it("names the metric to restore by if asked to, and says what decides", () => {
    expect(stopping({ patience: 1 }).restoreBest).toBeUndefined();
    expect(stopping({ patience: 1 }).description).toBe("val_loss did not improve for 1 measurement (min)");
    const policy = stopping({ patience: 5, minDelta: 0.1, warmUpSteps: 9, restoreBest: true });
    expect(policy.restoreBest).toEqual({ monitor: "val_loss", mode: "min" });
    expect(policy.description).toBe(
      "val_loss did not improve for 5 measurements (min, by more than 0.1, after step 9), then its best saved weights are put back",
    );
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses a patience of %s", (patience) =>
    expect(captureError(() => stopping({ patience }))).toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "patience" },
    }),
  );
});
