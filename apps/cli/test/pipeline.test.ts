import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createProject, readRun, readTree, removeProjects } from "./project.js";
import { requireCkpt } from "./run-ckpt.js";

const first = inject("finished");
let project: string;
let run: string;

beforeAll(async () => {
  project = await copyProject(first.project);
  run = join(project, "runs/points");
});
afterAll(removeProjects);

describe("ckpt run", () => {
  it("leaves every folder and file of a run, with one artifact for each checkpoint", async () => {
    const names = (await readdir(run)).filter((name) => !name.startsWith("."));
    expect(names).toEqual([
      "artifacts",
      "best",
      "checkpoints",
      "evaluations",
      "history.jsonl",
      "ranking.json",
      "run.json",
      "timings.jsonl",
    ]);
    const checkpoints = await readdir(join(run, "checkpoints"));
    expect(checkpoints).toHaveLength(3);
    expect(await readdir(join(run, "artifacts"))).toEqual(checkpoints);
    expect((await readdir(join(run, "best"))).toSorted()).toEqual(
      ["artifact.json", "frozen.pb", "graph-model", "model.onnx", "saved-model"].toSorted(),
    );
    // One for each artifact on the select split, and one of the pick on the test split.
    const evaluations = await readdir(join(run, "evaluations"));
    expect(evaluations.filter((name) => name.includes(".select."))).toHaveLength(3);
    expect(evaluations.filter((name) => name.includes(".test."))).toHaveLength(1);
  });

  it("prints the ranking, the test score of the pick and the link to it on stdout", async () => {
    const tree = await readTree(run);
    const pick = tree["best"]?.replace("artifacts/", "") ?? "";
    const lines = first.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^rank {2}candidate +accuracy↑ {2}95 % interval +logLoss {2}95 % interval +status$/);
    expect(lines[1]).toMatch(new RegExp(String.raw`^ +1 {2}${pick} .*\[0\.\d{4}, \d\.\d{4}\].*★ best$`));
    expect(lines.slice(2, 4).map((line) => line.trim()[0])).toEqual(["2", "3"]);
    expect(lines[4]).toMatch(new RegExp(`^on split select, \\d+ rows; pick ${pick}, decided by `));
    expect(lines[5]).toMatch(
      /^test accuracy \d\.\d{4} \[.*\], logLoss \d\.\d{4} \[.*\] on \d+ rows nothing was chosen on$/,
    );
    expect(lines[6]).toBe("best runs/points/best");
    expect(lines).toHaveLength(7);
  });

  it("reports one plain line per finished unit on stderr where it is no terminal", () => {
    expect(first.stderr).not.toContain("\u001B");
    expect(first.stderr).not.toContain("\r");
    const lines = first.stderr.trimEnd().split("\n");
    const stages = lines.map((line) => /^✔ (\w+)/.exec(line)?.[1]);
    expect(stages[0]).toBe("backend");
    expect(stages).not.toContain(undefined);
    expect(stages.filter((stage) => stage === "save").length).toBeGreaterThanOrEqual(3);
    expect(stages.filter((stage) => stage !== "save" && stage !== "backend")).toEqual([
      "train",
      ...Array.from({ length: 3 }, () => "freeze"),
      ...Array.from({ length: 4 }, () => "evaluate"),
    ]);
  });

  it("does no training, freezing or inference again, and with --json prints one document on stdout", async () => {
    const before = await readTimes(run);
    const content = await readTree(run);
    const { stdout, stderr } = await requireCkpt(["run", "--json"], { cwd: project });
    const document = JSON.parse(stdout) as RunDocument;
    expect(document).toMatchObject({
      schemaVersion: 1,
      command: "run",
      run: "runs/points",
      train: { step: 48, epoch: 6, reason: "completed" },
      skipped: [],
      best: "runs/points/best",
    });
    expect(document.ranking.candidates.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    expect(document.ranking).not.toHaveProperty("schemaVersion");
    expect(document.pick.id).toBe(document.ranking.candidates[0]?.id);
    for (const { parity } of document.artifacts) {
      expect(new Set(parity.map(({ format }) => format)).size).toBe(4);
      expect(Math.max(...parity.map(({ maxAbsoluteError }) => maxAbsoluteError))).toBeLessThan(1e-5);
    }
    expect(document.test.metrics["accuracy"]?.value).toBeGreaterThan(0.6);
    expect(stderr).toContain("was complete already");
    expect(stderr).not.toContain("save ");
    const reused = "is there already";
    expect(stderr.split(reused)).toHaveLength(4);
    expect(stderr.split("stored predictions")).toHaveLength(5);
    expect(await readTree(run)).toEqual(content);
    const after = await readTimes(run);
    expect(Object.keys(after).filter((path) => after[path] !== before[path] && !isComputed(path))).toEqual([]);
  });
});

describe("the stages, each by its own command", () => {
  it("give the bytes that ckpt run gives, in another folder", async () => {
    const other = await createProject();
    const trained = await requireCkpt(["train", "--json"], { cwd: other });
    const { checkpoints } = JSON.parse(trained.stdout) as {
      readonly checkpoints: readonly { readonly path: string }[];
    };
    expect(checkpoints).toHaveLength(3);
    const frozen = await requireCkpt(["freeze", "runs/points", "--json"], { cwd: other });
    expect((JSON.parse(frozen.stdout) as { readonly artifacts: readonly unknown[] }).artifacts).toHaveLength(3);
    const evaluated = await requireCkpt(["evaluate", "runs/points"], { cwd: other });
    const ranked = await requireCkpt(["rank", "runs/points"], { cwd: other });
    expect(ranked.stdout).toBe(evaluated.stdout);
    expect(first.stdout.startsWith(ranked.stdout)).toBe(true);
    await requireCkpt(["evaluate", "runs/points/best", "--split", "test"], { cwd: other });

    const expected = await readRun(run);
    expect(Object.keys(expected).length).toBeGreaterThan(40);
    expect(await readRun(join(other, "runs/points"))).toEqual(expected);
  });
});

interface RunDocument {
  readonly ranking: { readonly candidates: readonly { readonly id: string; readonly rank: number }[] };
  readonly pick: { readonly id: string };
  readonly artifacts: readonly {
    readonly parity: readonly { readonly format: string; readonly maxAbsoluteError: number }[];
  }[];
  readonly test: { readonly metrics: Readonly<Record<string, { readonly value: number }>> };
}

/** Metrics and the ranking are computed every time, from what is stored. */
function isComputed(path: string): boolean {
  return path.endsWith("metrics.json") || path === "ranking.json" || path === "best";
}

/** Time of the last change of every file below a folder, in nanoseconds. */
async function readTimes(folder: string): Promise<Readonly<Record<string, bigint>>> {
  const times: Record<string, bigint> = {};
  for (const path of Object.keys(await readTree(folder))) {
    times[path] = (await stat(join(folder, path), { bigint: true })).mtimeNs;
  }
  return times;
}
