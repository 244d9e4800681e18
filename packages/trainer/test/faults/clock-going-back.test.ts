import { join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import {
  type Clock,
  everySeconds,
  everySteps,
  keepEverySeconds,
  keepLatest,
  listCheckpoints,
  train,
} from "../../src/index.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";
import { tinyRun } from "./programs/tiny-run.js";

/**
 * A clock by which each step takes two seconds; its wall time goes back by an hour at each of them, and by a day from one
 * process to the next.
 */
function createClock(process: number): Clock & { tick(): void } {
  let steps = 0;
  return {
    // Its zero means nothing: each process has another.
    monotonicMs: () => 1_000_000 * process + 2000 * steps,
    wallTime: () => new Date(Date.UTC(2030, 0, 1) - 86_400_000 * process - 3_600_000 * steps),
    tick: () => void steps++,
  };
}

/** Trains until an error ends it after `dieAfter`, or to the end. */
async function trainBy(clock: Clock & { tick(): void }, run: string, dieAfter?: number): Promise<void> {
  const end = new Error("ended by the test");
  await train({
    ...tinyRun(run),
    clock,
    save: everySteps(1),
    keep: [keepEverySeconds(4), keepLatest(1)],
    onProgress: (progress) => {
      if (progress.kind === "start" || progress.kind === "step") clock.tick();
      if (progress.kind === "step" && progress.step === dieAfter) throw end;
    },
  }).catch((error: unknown) => {
    if (error !== end) throw error;
  });
}

const readSteps = async (run: string): Promise<readonly number[]> =>
  (await listCheckpoints(run)).checkpoints.map(({ step }) => step);

describe("a clock that goes back", () => {
  it("within a process and from one to the next changes nothing of what is kept", async () => {
    const folder = await makeTestFolder();
    const [whole, interrupted] = [join(folder, "whole"), join(folder, "interrupted")];
    await trainBy(createClock(0), whole);
    // Saved after 2, 4, 6, ... 16 seconds.
    expect(await readSteps(whole)).toEqual([1, 3, 5, 7, 8]);

    for (const [index, dieAfter] of [3, 6, undefined].entries())
      await trainBy(createClock(index), interrupted, dieAfter);
    expect((await verifyRun(interrupted)).problems).toEqual([]);
    expect(await readSteps(interrupted)).toEqual(await readSteps(whole));
    expect(await readRunFiles(interrupted)).toEqual(await readRunFiles(whole));
  });

  it("does not keep everySeconds from saving", async () => {
    const run = join(await makeTestFolder(), "run");
    const clock = createClock(0);
    await train({
      ...tinyRun(run),
      clock,
      save: everySeconds(4),
      onProgress: ({ kind }) => {
        if (kind === "start" || kind === "step") clock.tick();
      },
      keep: [],
    });
    expect(await readSteps(run)).toEqual([2, 4, 6, 8]);
  });
});
