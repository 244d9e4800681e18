import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { verifyRun } from "@ckpt/manifest";
import { afterAll, expect, inject, it } from "vitest";

import { copyProject, readTree, removeProjects } from "../project.js";
import { requireCkpt, runCkpt } from "../run-ckpt.js";

const { project: finished } = inject("finished");
const preload = pathToFileURL(join(import.meta.dirname, "die-at-call.mjs")).href;
/** A prime: over both commands every kind of call is met. */
const stride = 7;

afterAll(removeProjects);

interface Stage {
  readonly command: readonly string[];
  /** What it makes. */
  readonly folder: string;
  /** What comes after it in a run, from files that would be missing. */
  readonly later: readonly string[];
}

const stages: readonly Stage[] = [
  { command: ["freeze", "--workers", "1"], folder: "artifacts", later: ["evaluations", "ranking.json", "best"] },
  { command: ["evaluate"], folder: "evaluations", later: ["ranking.json", "best"] },
];

/** A finished run without what a stage makes, and all that comes after it. */
async function copyWithout({ folder, later }: Stage): Promise<{ readonly project: string; readonly made: string }> {
  const project = await copyProject(finished);
  const run = join(project, "runs/points");
  for (const name of [folder, ...later]) await rm(join(run, name), { recursive: true });
  return { project, made: join(run, folder) };
}

/** Names of the calls that change something on disk while a stage does its work undisturbed, and what it made. */
async function record(stage: Stage) {
  const { project, made } = await copyWithout(stage);
  const calls = join(project, "calls.txt");
  const env = { NODE_OPTIONS: `--import ${preload}`, CALLS: calls };
  await requireCkpt([...stage.command, "runs/points"], { cwd: project, env });
  return { calls: (await readFile(calls, "utf8")).trimEnd().split("\n"), tree: await readTree(made) };
}

it.each(stages.map((stage) => [stage.command[0], stage] as const))(
  "ckpt %s, killed before any call that changes the disk, leaves nothing half done and goes on to the same bytes",
  { timeout: 600_000 },
  async (_, stage) => {
    const { calls, tree } = await record(stage);
    expect(calls).toEqual(expect.arrayContaining(["mkdir", "open", "write", "sync", "rename", "rm"]));
    expect(Object.keys(tree).length).toBeGreaterThan(5);
    for (let deadly = 1; deadly <= calls.length; deadly += stride) {
      const { project, made } = await copyWithout(stage);
      const env = { NODE_OPTIONS: `--import ${preload}`, DEADLY_CALL: String(deadly) };
      const killed = await runCkpt([...stage.command, "runs/points"], { cwd: project, env });
      expect([deadly, killed.signal]).toEqual([deadly, "SIGKILL"]);
      expect([deadly, (await verifyRun(join(project, "runs/points"))).problems]).toEqual([deadly, []]);
      await requireCkpt([...stage.command, "runs/points"], { cwd: project });
      const again = await readTree(made);
      expect([deadly, Object.keys(again).toSorted()]).toEqual([deadly, Object.keys(tree).toSorted()]);
      expect([deadly, again]).toEqual([deadly, tree]);
      await rm(project, { recursive: true });
    }
  },
);
