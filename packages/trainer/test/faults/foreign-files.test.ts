import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { listCheckpoints, train } from "../../src/index.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";
import { trainUntil } from "./damaged-run.js";
import { keptSteps, tinyRun } from "./programs/tiny-run.js";

/** Beside what ckpt writes, with names close to its own. */
const foreign = [
  "notes.txt",
  ".notes.staging",
  "history.jsonl.bak",
  "checkpoints/notes.txt",
  "checkpoints/.hidden",
  "checkpoints/step-notes/notes.txt",
  "checkpoints/step-4/notes.txt",
  "checkpoints/step-00000002.old/model.json",
  "checkpoints/tmp/step-00000002/checkpoint.json",
];

describe("files of other origin in a run's folder", () => {
  it("stay as they are through training, pruning, an error and a resume, and change nothing of the run", async () => {
    const folder = await makeTestFolder();
    const [run, whole] = [join(folder, "run"), join(folder, "whole")];
    for (const file of foreign) {
      mkdirSync(dirname(join(run, file)), { recursive: true });
      writeFileSync(join(run, file), file);
    }
    symlinkSync("step-notes", join(run, "checkpoints/linked"));
    await trainUntil(run, 5);
    await train(tinyRun(run));
    await train(tinyRun(whole));

    for (const file of [...foreign, "checkpoints/linked/notes.txt"]) {
      expect(readFileSync(join(run, file), "utf8")).toBe(file.replace("linked", "step-notes"));
    }
    const own = Object.entries(await readRunFiles(run)).filter(([path]) => !foreign.includes(path));
    expect(Object.fromEntries(own)).toEqual(await readRunFiles(whole));
    const { checkpoints, skipped } = await listCheckpoints(run);
    expect(checkpoints.map(({ step }) => step)).toEqual(keptSteps);
    expect(skipped).toEqual([]);
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("stay when the checkpoint that they were put into is pruned, beside the others", async () => {
    const run = join(await makeTestFolder(), "run");
    const names = ["notes.txt", "plots/loss.svg"];
    await trainUntil(run, 5);
    for (const name of names) {
      const path = join(run, "checkpoints/step-00000004", name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, name);
    }
    // A file more does no harm to the checkpoint.
    expect(await train(tinyRun(run))).toMatchObject({ resumedFrom: 4, skipped: [] });

    const kept = join(run, "checkpoints/step-00000004.rest");
    expect(readdirSync(kept, { recursive: true })).toEqual(["notes.txt", "plots", "plots/loss.svg"]);
    for (const name of names) expect(readFileSync(join(kept, name), "utf8")).toBe(name);
    const { checkpoints, skipped } = await listCheckpoints(run);
    expect(checkpoints.map(({ step }) => step)).toEqual(keptSteps);
    expect(skipped).toEqual([]);
    expect((await verifyRun(run)).problems).toEqual([]);
  });
});
