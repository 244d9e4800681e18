import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { everySteps, keepLatest, listCheckpoints, train } from "../../src/index.js";
import { useCompiledTrainer } from "../faults/compiled-trainer.js";
import { trainUntil } from "../faults/damaged-run.js";
import { tinyRun } from "../faults/programs/tiny-run.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";

const compiled = useCompiledTrainer();

const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
const canMount = spawnSync("unshare", [...unshare, "mount -t tmpfs none /tmp"]).status === 0;
const needsMount = canMount ? "" : " (not run: mounting a small disk is not permitted here)";

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

function readLog(log: string): readonly { readonly reached: number; readonly path?: string }[] {
  return readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly reached: number });
}

async function readSavedSteps(run: string): Promise<readonly number[]> {
  return (await listCheckpoints(run)).checkpoints.map(({ step }) => step);
}

describe("training on a disk", () => {
  it.runIf(canMount).each([
    // Full at the third save: one of the two steps that follow says so. At the second, which is the last: the end does.
    { steps: 2, sizeKb: 64, saved: [2, 4], reached: [6, 7] },
    { steps: 4, sizeKb: 40, saved: [4], reached: [8] },
  ])(
    `that is full (a save every $steps steps) ends with an error, loses nothing, and goes on once there is space${needsMount}`,
    async ({ steps, sizeKb, saved, reached }) => {
      const folder = await makeTestFolder();
      const [disk, full, resumed, log] = ["disk", "full", "resumed", "log"].map((name) => join(folder, name));
      if (disk === undefined || full === undefined || resumed === undefined || log === undefined) return;
      mkdirSync(disk);
      const program = `"${process.execPath}" "${compiled.pathOf("train-or-say")}" "$1/run" ${steps} "$4"`;
      const script = [
        `mount -t tmpfs -o size=${sizeKb}k none "$1"`,
        program,
        `cp -a "$1/run" "$2"`,
        `mount -o remount,size=10m "$1"`,
        program,
        `cp -a "$1/run" "$3"`,
      ].join(" && ");
      execFileSync("unshare", [...unshare, script, "sh", disk, full, resumed, log], { stdio: "pipe" });

      const [refused, ended] = readLog(log);
      expect(reached).toContain(refused?.reached);
      expect(refused).toMatchObject({ code: "FILE_SYSTEM", cause: "ENOSPC" });
      expect(await readSavedSteps(full)).toEqual(saved);
      expect((await verifyRun(full)).problems).toEqual([]);
      expect(readdirSync(join(full, "checkpoints")).filter((name) => name.startsWith("."))).toEqual([]);

      expect(ended).toMatchObject({ resumedFrom: saved.at(-1), reached: 8 });
      const whole = join(folder, "whole");
      await train({ ...tinyRun(whole), save: everySteps(steps), keep: [keepLatest(8)] });
      expect(await readRunFiles(resumed)).toEqual(await readRunFiles(whole));
    },
  );

  it.each(["parent", "run", "checkpoints"])(
    "without permission to write to its %s is an error that names path and operation, and nothing is left",
    async (readOnly) => {
      const folder = await makeTestFolder();
      const parent = join(folder, "parent");
      const run = join(parent, "run");
      const log = join(folder, "log");
      mkdirSync(parent);
      // With the checkpoint of step 2.
      if (readOnly !== "parent") await trainUntil(run, 3);
      writeFileSync(log, "");
      for (const path of [folder, log, parent, ...(readOnly === "parent" ? [] : listAll(run))]) {
        if (isRoot) chownSync(path, nobody, nobody);
      }
      const refusing = { parent, run, checkpoints: join(run, "checkpoints") }[readOnly] ?? "";
      chmodSync(refusing, 0o555);
      const before = readdirSync(refusing);
      const ended = await compiled.run("train-or-say", [run, "2", log, "unprivileged"]);
      chmodSync(refusing, 0o755);
      expect(ended.code, ended.errors).toBe(0);
      const [outcome] = readLog(log);
      expect(outcome).toMatchObject({
        code: "FILE_SYSTEM",
        operation: readOnly === "run" ? "write" : "create folder",
        cause: "EACCES",
      });
      // The save of step 4 is refused, and one of the two steps that follow says so.
      expect(readOnly === "checkpoints" ? [4, 5] : [0]).toContain(outcome?.reached);
      expect(dirname(outcome?.path ?? "")).toBe(refusing);
      expect(readdirSync(refusing)).toEqual(before);
      if (readOnly !== "parent") expect(await readSavedSteps(run)).toEqual([2]);
    },
  );
});

function listAll(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return [folder, ...entries.map((entry) => join(entry.parentPath, entry.name))];
}
