import { describe, expect, it } from "vitest";

import { type Event, findStop, findStopInOneGo, savedSteps, savedStepsInOneGo } from "../test/moments.js";
import { amongBest } from "./among-best.js";
import { earlyStopping } from "./early-stopping.js";
import type { ImprovementOptions } from "./improvement.js";
import { onImprovement } from "./on-improvement.js";
import { createRandom } from "./random.js";
import { allOf, anyOf, everySteps } from "./save-policy.js";

const variants: readonly ImprovementOptions[] = [
  { monitor: "score", mode: "min" },
  { monitor: "score", mode: "max" },
  { monitor: "score", mode: "min", minDelta: 0.3 },
  { monitor: "score", mode: "max", minDelta: { relative: 0.2 } },
  { monitor: "score", mode: "min", baseline: 0.5, warmUpSteps: 7 },
  { monitor: "score", mode: "max", smoothing: 0.7 },
  { monitor: "score", mode: "min", minDelta: { relative: 0.1 }, baseline: 2, warmUpSteps: 4, smoothing: 0.9 },
];

/** A hundred moments, two thirds of them measured, some of those not finite, and ties among the others. */
function makeEvents(seed: number): readonly Event[] {
  const random = createRandom(seed, "events");
  const odd = [Number.NaN, Infinity, -Infinity, 0, -0];
  const draw = (): number =>
    random.next() < 0.15
      ? (odd[Math.floor(random.next() * odd.length)] ?? 0)
      : Math.round(random.next() * 60 - 30) / 10;
  return Array.from({ length: 100 }, (_, index) => ({
    step: index + 1,
    metrics: random.next() < 2 / 3 ? { score: draw() } : {},
  }));
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

describe.each(variants)("a tracker with %j", (options) => {
  it("decides the same whether or not its state goes through JSON at every moment", () => {
    let count = 0;
    for (const events of seeds.map(makeEvents)) {
      const policies = [
        onImprovement(options),
        anyOf(everySteps(7), onImprovement(options)),
        allOf(everySteps(2), anyOf(onImprovement(options), amongBest(3, options))),
      ];
      for (const policy of policies) {
        const saved = savedSteps(policy, events);
        expect(saved).toEqual(savedStepsInOneGo(policy, events));
        count += saved.length;
      }
      for (const patience of [1, 3, 10]) {
        const policy = earlyStopping({ ...options, patience });
        expect(findStop(policy, events)).toEqual(findStopInOneGo(policy, events));
      }
    }
    expect(count).toBeGreaterThan(seeds.length);
  });

  it("never takes a moment that is not measured or not finite, nor one of the warm-up", () => {
    for (const events of seeds.map(makeEvents)) {
      for (const step of savedSteps(onImprovement(options), events)) {
        expect(events[step - 1]?.metrics?.["score"]).toSatisfy(Number.isFinite);
        expect(step).toBeGreaterThan(options.warmUpSteps ?? 0);
      }
    }
  });

  it("decides for a metric to be minimized as for its negative to be maximized", () => {
    const { baseline, mode } = options;
    const mirrored: ImprovementOptions = {
      ...options,
      mode: mode === "min" ? "max" : "min",
      ...(baseline === undefined ? {} : { baseline: -baseline }),
    };
    for (const events of seeds.map(makeEvents)) {
      const negated = events.map(({ step, metrics }) => ({
        step,
        metrics: metrics?.["score"] === undefined ? {} : { score: -metrics["score"] },
      }));
      expect(savedSteps(onImprovement(mirrored), negated)).toEqual(savedSteps(onImprovement(options), events));
      expect(findStop(earlyStopping({ ...mirrored, patience: 4 }), negated)?.step).toBe(
        findStop(earlyStopping({ ...options, patience: 4 }), events)?.step,
      );
    }
  });
});

describe("a tracker without options", () => {
  it("saves exactly the strict records of the finite values", () => {
    for (const events of seeds.map(makeEvents)) {
      let best = Infinity;
      const records = events.flatMap(({ step, metrics }) => {
        const value = metrics?.["score"] ?? Number.NaN;
        if (!Number.isFinite(value) || value >= best) return [];
        best = value;
        return [step];
      });
      expect(savedSteps(onImprovement({ monitor: "score", mode: "min" }), events)).toEqual(records);
    }
  });
});
