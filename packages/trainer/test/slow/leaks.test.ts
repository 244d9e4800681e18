import { existsSync } from "node:fs";
import { join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { listCheckpoints } from "../../src/index.js";
import { useCompiledTrainer } from "../faults/compiled-trainer.js";
import type { Usage } from "../faults/programs/save-often.js";
import { makeTestFolder } from "../test-folder.js";

const compiled = useCompiledTrainer();
const hasProc = existsSync("/proc/self/fd");
const needs = hasProc ? "" : " (not run: there is no /proc here)";

describe("a thousand saves", () => {
  it.runIf(hasProc)(`leave tensors and open files as they were, and memory within a tenth${needs}`, async () => {
    const run = join(await makeTestFolder(), "run");
    const ended = await compiled.run("save-often", [run, "1700", "100"], { nodeOptions: ["--expose-gc"] });
    expect(ended.code, ended.errors).toBe(0);
    const usages = ended.lines.map((line) => JSON.parse(line) as Usage);
    // The first 700 warm the process up, code is compiled, buffers and the heap get their size: from 160 MB to 185, then 194 from 1,400 on.
    const [before, ...after] = usages.slice(6);
    expect(after.map(({ saves }) => saves)).toEqual([800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700]);
    for (const { tensors, openFiles } of after) {
      expect({ tensors, openFiles }).toEqual({ tensors: before?.tensors, openFiles: before?.openFiles });
    }
    expect((after.at(-1)?.rssBytes ?? Infinity) / (before?.rssBytes ?? 0)).toBeLessThan(1.1);
    expect((await listCheckpoints(run)).checkpoints.length).toBeLessThanOrEqual(5);
    expect((await verifyRun(run)).problems).toEqual([]);
  });
});
