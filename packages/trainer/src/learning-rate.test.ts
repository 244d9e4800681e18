import { describe, expect, it } from "vitest";

import { captureError } from "../test/moments.js";
import {
  cosineDecay,
  exponentialDecay,
  type LearningRateSchedule,
  linearWarmUp,
  piecewiseConstant,
} from "./learning-rate.js";

const rateAt = (schedule: LearningRateSchedule, step: number): number => schedule.rateAt({ step, epoch: 0 });

describe("the schedules", () => {
  const decay = { initialRate: 0.1, decaySteps: 10, decayRate: 0.5 };
  const stairs = exponentialDecay({ ...decay, isStaircase: true });
  const cosine = cosineDecay({ initialRate: 0.1, decaySteps: 100 });
  const raised = cosineDecay({ initialRate: 0.1, decaySteps: 100, finalFraction: 0.2 });
  const pieces = piecewiseConstant({ boundaries: [100, 110], rates: [1, 0.5, 0.1] });
  const warm = linearWarmUp(10, cosine);

  it.each<readonly [string, LearningRateSchedule, readonly (readonly [number, number])[]]>([
    [
      "0.1 times 0.5 every 10 steps",
      exponentialDecay(decay),
      [
        [0, 0.1],
        [5, 0.1 * Math.SQRT1_2],
        [10, 0.05],
        [30, 0.0125],
      ],
    ],
    [
      "0.1 times 0.5 every 10 steps, in stairs",
      stairs,
      [
        [0, 0.1],
        [9, 0.1],
        [10, 0.05],
        [19, 0.05],
        [20, 0.025],
      ],
    ],
    [
      "0.1 along a cosine to 0 of it in 100 steps",
      cosine,
      [
        [0, 0.1],
        [25, 0.05 * (1 + Math.SQRT1_2)],
        [50, 0.05],
        [100, 0],
        [500, 0],
      ],
    ],
    [
      "0.1 along a cosine to 0.2 of it in 100 steps",
      raised,
      [
        [0, 0.1],
        [50, 0.06],
        [100, 0.02],
        [101, 0.02],
      ],
    ],
    [
      "1 up to step 100, then 0.5 up to step 110, then 0.1",
      pieces,
      [
        [0, 1],
        [100, 1],
        [101, 0.5],
        [110, 0.5],
        [111, 0.1],
        [999, 0.1],
      ],
    ],
    [
      "0.3",
      piecewiseConstant({ boundaries: [], rates: [0.3] }),
      [
        [0, 0.3],
        [9, 0.3],
      ],
    ],
    [
      "from 0 in 10 steps to (0.1 along a cosine to 0 of it in 100 steps)",
      warm,
      [
        [0, 0],
        [1, 0.01],
        [9, 0.09],
        [10, 0.1],
        [60, 0.05],
        [110, 0],
      ],
    ],
    [
      "from 0.02 in 10 steps to (0.1 along a cosine to 0 of it in 100 steps)",
      linearWarmUp(10, cosine, { startRate: 0.02 }),
      [
        [0, 0.02],
        [5, 0.06],
        [10, 0.1],
      ],
    ],
  ])("%s", (description, schedule, table) => {
    expect(schedule.description).toBe(description);
    for (const [step, rate] of table) expect(rateAt(schedule, step), `step ${step}`).toBeCloseTo(rate, 15);
  });

  it("warm up into a schedule of epochs", () => {
    const byEpoch: LearningRateSchedule = { description: "by epoch", rateAt: ({ epoch }) => 1 / (1 + epoch) };
    const schedule = linearWarmUp(4, byEpoch);
    expect(schedule.rateAt({ step: 2, epoch: 1 })).toBe(0.5);
    expect(schedule.rateAt({ step: 4, epoch: 1 })).toBe(0.5);
    expect(schedule.rateAt({ step: 9, epoch: 3 })).toBe(0.25);
  });
});

describe("a schedule", () => {
  const exponential = { initialRate: 0.1, decaySteps: 10, decayRate: 0.5 };
  const cosine = { initialRate: 0.1, decaySteps: 10 };
  it.each<readonly [string, () => LearningRateSchedule]>([
    ["initialRate", () => exponentialDecay({ ...exponential, initialRate: 0 })],
    ["decaySteps", () => exponentialDecay({ ...exponential, decaySteps: 0 })],
    ["decayRate", () => exponentialDecay({ ...exponential, decayRate: Number.NaN })],
    ["initialRate", () => cosineDecay({ ...cosine, initialRate: Infinity })],
    ["decaySteps", () => cosineDecay({ ...cosine, decaySteps: 1.5 })],
    ["finalFraction", () => cosineDecay({ ...cosine, finalFraction: 1.1 })],
    ["boundaries", () => piecewiseConstant({ boundaries: [10, 10], rates: [1, 2, 3] })],
    ["boundaries", () => piecewiseConstant({ boundaries: [0], rates: [1, 2] })],
    ["rates", () => piecewiseConstant({ boundaries: [10], rates: [1] })],
    ["rates", () => piecewiseConstant({ boundaries: [10], rates: [1, -1] })],
    ["rates", () => piecewiseConstant({ boundaries: [], rates: [] })],
    ["linearWarmUp", () => linearWarmUp(0, cosineDecay(cosine))],
    ["startRate", () => linearWarmUp(5, cosineDecay(cosine), { startRate: -1 })],
  ])("refuses a wrong %s", (option, make) =>
    expect(captureError(make)).toMatchObject({ code: "INVALID_OPTION", details: { option } }),
  );
});
