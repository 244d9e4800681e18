import { describe, expect, it } from "vitest";

import { captureError } from "../test/moments.js";
import { keepEverySeconds } from "./keep-every-seconds.js";
import { createRandom } from "./random.js";
import type { RetentionCandidate } from "./retention-policy.js";

const at = (...times: readonly (number | undefined)[]): readonly RetentionCandidate[] =>
  times.map((trainedSeconds, index) => {
    const step = index + 1;
    return trainedSeconds === undefined ? { step, metrics: {} } : { step, metrics: {}, trainedSeconds };
  });

describe("keepEverySeconds", () => {
  const policy = keepEverySeconds(60);
  it.each<readonly [string, readonly RetentionCandidate[], readonly number[]]>([
    ["keeps the first, then each a minute after the last one kept", at(5, 30, 64.9, 65, 120, 125, 300), [1, 4, 6, 7]],
    ["keeps what has no time, and does not count from it", at(undefined, 5, undefined, 64, 65), [1, 2, 3, 5]],
    ["keeps nothing of nothing", [], []],
  ])("%s", (_name, checkpoints, expected) => expect(policy.select(checkpoints)).toEqual(expected));

  it("chooses the same when it is asked after every save as when it is asked once", () => {
    const random = createRandom(3, "times");
    let time = 0;
    const all = at(...Array.from({ length: 300 }, () => (time += random.next() * 40)));
    let kept: readonly RetentionCandidate[] = [];
    for (const checkpoint of all) {
      const candidates = [...kept, checkpoint];
      const chosen = new Set(policy.select(candidates));
      kept = candidates.filter(({ step }) => chosen.has(step));
    }
    expect(kept.map(({ step }) => step)).toEqual(policy.select(all));
    expect(kept.length).toBeGreaterThan(50);
  });

  it("says what decides", () => expect(policy.description).toBe("every 60 seconds of training"));
  it.each([0, -1, Number.NaN, Infinity])("refuses %s", (n) =>
    expect(captureError(() => keepEverySeconds(n))).toMatchObject({ details: { option: "keepEverySeconds" } }),
  );
});
