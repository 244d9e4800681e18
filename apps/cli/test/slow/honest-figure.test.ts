import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createProject, removeProjects } from "../project.js";
import { requireCkpt, runCkpt } from "../run-ckpt.js";

let project: string;
beforeAll(async () => {
  project = await copyProject(inject("finished").project);
});
afterAll(removeProjects);

interface Test {
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly interval: readonly [number, number] }>>;
  readonly reads: number;
  readonly confidence: number;
  readonly optimism: number;
}

async function readTest(): Promise<Test> {
  const { stdout } = await requireCkpt(["run", "--json"], { cwd: project });
  return (JSON.parse(stdout) as { readonly test: Test }).test;
}

async function readLedger(): Promise<readonly string[]> {
  const text = await readFile(join(project, "runs/points/test-reads.jsonl"), "utf8");
  return text.split("\n").slice(0, -1);
}

describe("the test rows of a run", () => {
  it("are counted each time another artifact is scored on them, and the intervals grow", async () => {
    const once = await readTest();
    expect(once).toMatchObject({ reads: 1, confidence: 0.95 });
    expect(await readLedger()).toHaveLength(1);

    const { stdout } = await requireCkpt(["evaluate", "runs/points", "--split", "test"], { cwd: project });
    expect(stdout).toContain("98.33 % interval");
    expect(stdout).toMatch(/\ntest set read 3 times\n$/);
    expect(await readLedger()).toHaveLength(3);

    const again = await readTest();
    expect(again.reads).toBe(3);
    expect(again.confidence).toBeCloseTo(1 - 0.05 / 3, 12);
    expect(await readLedger()).toHaveLength(3);
    const [low = 0, high = 1] = once.metrics["accuracy"]?.interval ?? [];
    const [lower = 1, higher = 0] = again.metrics["accuracy"]?.interval ?? [];
    expect(lower).toBeLessThan(low);
    expect(higher).toBeGreaterThan(high);
    expect(again.optimism).toBe(once.optimism);
    const verified = await requireCkpt(["verify", "runs/points"], { cwd: project });
    expect(verified.stdout).toContain("all as they were written");
  });

  it("choose nothing", async () => {
    const { code, stderr } = await runCkpt(["rank", "runs/points", "--split", "test"], { cwd: project });
    expect(code).toBe(2);
    expect(stderr).toContain("--split: expected one to choose by, such as select");
  });
});

describe("rows of two roles", () => {
  it("are refused before anything is trained, with 3 and their number", async () => {
    const doubled = await createProject([
      `files: [{ path: "points.csv", fractions: { train: 0.5, validation: 0.15, select: 0.2, test: 0.15 } }]`,
      `files: [{ path: "points.csv", fractions: { train: 0.7, validation: 0.15, select: 0.15 } }, { path: "copy.csv", fractions: { test: 1 } }]`,
    ]);
    await cp(join(doubled, "points.csv"), join(doubled, "copy.csv"));
    const { code, stderr } = await runCkpt(["run"], { cwd: doubled });
    expect(code).toBe(3);
    expect(stderr).toMatch(/error DATA_ROWS_SHARED: \d+ of \d+ rows of split test are in train too/);
  });
});
