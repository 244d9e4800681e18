import type { Json } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { createMoment } from "../test/moments.js";
import { createPolicyMemory, type PolicyMemory } from "./policy-memory.js";
import type { SavePolicy } from "./save-policy.js";

/** Remembers every step, with an `s` where it was saved, and how much history there was. */
const recorder: SavePolicy = {
  description: "records",
  monitors: [],
  initialState: [],
  shouldSave: () => true,
  advance: ({ step, history }, isSaved, state) => [
    ...(state as readonly Json[]),
    `${step}${isSaved ? "s" : ""}/${history.length}`,
  ],
};

const measurement = { step: 1, epoch: 0, metrics: {} };

/** Tells the memory of so many moments, of which those in `saved` are saved. */
function createRecorded(
  count: number,
  saved: readonly number[],
): { readonly memory: PolicyMemory; readonly tell: (step: number, isSaved: boolean) => void } {
  const memory = createPolicyMemory(recorder, recorder.initialState);
  const history: (typeof measurement)[] = [];
  const tell = (step: number, isSaved: boolean): void => {
    history.push(measurement);
    memory.advance(createMoment({ step, history }), isSaved);
  };
  for (let step = 1; step <= count; step++) tell(step, saved.includes(step));
  return { memory, tell };
}

describe("the memory of a save policy", () => {
  it("takes a save to succeed, and says beforehand what a checkpoint is to store", () => {
    const { memory } = createRecorded(2, [2]);
    expect(memory.state).toEqual(["1/1", "2s/2"]);
    const moment = createMoment({ step: 3, history: [] });
    expect(memory.stateIfSaved(moment)).toEqual(["1/1", "2s/2", "3s/0"]);
    expect(memory.state).toEqual(["1/1", "2s/2"]);
  });

  // What became of the saves at steps 2 and 4, in either order.
  it.each([
    [{ 2: true, 4: true }, ["1/1", "2s/2", "3/3", "4s/4", "5/5"]],
    [{ 2: false, 4: true }, ["1/1", "2/2", "3/3", "4s/4", "5/5"]],
    [{ 2: true, 4: false }, ["1/1", "2s/2", "3/3", "4/4", "5/5"]],
    [{ 2: false, 4: false }, ["1/1", "2/2", "3/3", "4/4", "5/5"]],
  ])("forgets exactly the saves that were lost: %j", (outcome, expected) => {
    for (const order of [
      [2, 4],
      [4, 2],
    ] as const) {
      const { memory, tell } = createRecorded(5, [2, 4]);
      for (const step of order) memory.settle(step, outcome[step]);
      expect(memory.state).toEqual(expected);
      tell(6, false);
      memory.settle(2, false);
      memory.settle(6, false);
      expect(memory.state).toEqual([...expected, "6/6"]);
    }
  });

  it("goes on between the outcomes of two saves", () => {
    const { memory, tell } = createRecorded(3, [1, 3]);
    memory.settle(1, true);
    tell(4, true);
    memory.settle(3, false);
    tell(5, false);
    memory.settle(4, true);
    expect(memory.state).toEqual(["1s/1", "2/2", "3/3", "4s/4", "5/5"]);
  });
});
