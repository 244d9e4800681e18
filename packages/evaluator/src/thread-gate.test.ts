import { setImmediate } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { createThreadGate } from "./thread-gate.js";

describe("createThreadGate", () => {
  it("lets several in at once, one alone when all have left, and keeps the order", async () => {
    const gate = createThreadGate();
    const inside: string[] = [];
    const enter = async (name: string, isAlone: boolean): Promise<() => void> => {
      const leave = await gate.enter(isAlone);
      inside.push(name);
      return leave;
    };
    const [leaveA, leaveB] = await Promise.all([enter("a", false), enter("b", false)]);
    const [alone, later, last] = [enter("alone", true), enter("later", false), enter("last", false)];
    leaveA();
    await setImmediate();
    expect(inside).toEqual(["a", "b"]);
    leaveB();
    const leaveAlone = await alone;
    await setImmediate();
    expect(inside).toEqual(["a", "b", "alone"]);
    leaveAlone();
    await Promise.all([later, last]);
    expect(inside).toEqual(["a", "b", "alone", "later", "last"]);
  });
});
