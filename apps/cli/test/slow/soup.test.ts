import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import { afterAll, describe, expect, inject, it } from "vitest";

import { copyProject, removeProjects } from "../project.js";
import { requireCkpt } from "../run-ckpt.js";

afterAll(removeProjects);

interface Soups {
  readonly soups: readonly {
    readonly kind: string;
    readonly path?: string;
    readonly steps: readonly number[];
    readonly score?: number;
  }[];
}

interface Ranking {
  readonly candidates: readonly {
    readonly id: string;
    readonly metrics: Readonly<Record<string, { readonly value: number }>>;
  }[];
}

describe("ckpt soup", () => {
  it("makes averages that are scored and ranked with the others, none of them worse than it has to be", async () => {
    const project = await copyProject(inject("finished").project);
    const cwd = { cwd: project };
    const before = (await readdir(join(project, "runs/points/checkpoints"))).length;
    const made = await requireCkpt(["soup", "runs/points", "--kind", "uniform", "--kind", "greedy", "--json"], cwd);
    const [uniform, greedy] = (JSON.parse(made.stdout) as Soups).soups;
    expect(uniform).toMatchObject({ kind: "uniform" });
    expect(uniform?.steps).toHaveLength(before);
    expect(greedy?.kind).toBe("greedy");

    const ranked = await requireCkpt(["rank", "runs/points", "--json"], cwd);
    const { candidates } = JSON.parse(ranked.stdout) as Ranking;
    const accuracyOf = (path = ""): number =>
      candidates.find(({ id }) => id === basename(path))?.metrics["accuracy"]?.value ?? Number.NaN;
    expect(accuracyOf(uniform?.path)).toBe(uniform?.score);
    const single = candidates.filter(({ id }) => id.startsWith("step-")).map(({ id }) => accuracyOf(id));
    if (greedy?.path === undefined) expect(greedy?.steps).toHaveLength(1);
    else {
      expect(accuracyOf(greedy.path)).toBe(greedy.score);
      expect(greedy.score).toBeGreaterThanOrEqual(Math.max(...single));
    }
    // Trials are no candidates.
    const averages = new Set(
      [uniform?.path, greedy?.path].flatMap((path) => (path === undefined ? [] : basename(path))),
    );
    expect(candidates).toHaveLength(before + averages.size);

    const [trial = ""] = await readdir(join(project, "runs/points/.soups/artifacts"));
    const manifest = join(project, "runs/points/.soups/artifacts", trial, "artifact.json");
    const { mtimeMs } = await stat(manifest);
    const again = await requireCkpt(["soup", "runs/points", "--kind", "uniform", "--kind", "greedy", "--json"], cwd);
    expect((JSON.parse(again.stdout) as Soups).soups).toEqual([uniform, greedy]);
    expect((await stat(manifest)).mtimeMs).toBe(mtimeMs);
    expect((await requireCkpt(["verify", "runs/points"], cwd)).stdout).toContain("all as they were written");
  });
});
