import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import { afterAll, describe, expect, inject, it } from "vitest";

import { type ConfigEdit, copyProject, createProject, removeProjects } from "../project.js";
import { requireCkpt, runCkpt } from "../run-ckpt.js";

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
    readonly rank?: number;
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

interface RunDocument extends Soups {
  readonly artifacts: readonly { readonly path: string }[];
  readonly ranking: Ranking;
}

interface CheckpointJson {
  readonly reason: string;
  readonly metrics: object;
  readonly parents: readonly { readonly step: number }[];
  readonly batchNorm?: { readonly batchSize: number; readonly seed: number };
}

async function readCheckpoint(path: string): Promise<CheckpointJson> {
  return JSON.parse(await readFile(join(path, "checkpoint.json"), "utf8")) as CheckpointJson;
}

const withSoups: ConfigEdit = ["  model:", `  soups: ["uniform", "greedy"],\n  model:`];
const withBatchNorm: ConfigEdit = [
  "        tf.layers.dropout({ rate: 0.1 }),",
  "        tf.layers.batchNormalization(),",
];

describe("ckpt run with soups in its configuration", () => {
  it("lists, freezes, scores and ranks them with their parents, beside the trained checkpoints", async () => {
    const project = await createProject(withSoups);
    const cwd = { cwd: project };
    const { soups, ranking } = JSON.parse((await requireCkpt(["run", "--json"], cwd)).stdout) as RunDocument;
    expect(soups.map(({ kind }) => kind)).toEqual(["uniform", "greedy"]);
    const trained = (await readdir(join(project, "runs/points/checkpoints"))).filter((name) =>
      name.startsWith("step-"),
    );
    const made = [...new Set(soups.flatMap(({ path }) => path ?? []))];
    expect(made.length).toBeGreaterThan(0);
    expect(ranking.candidates.map(({ id }) => id).toSorted()).toEqual(
      [...trained, ...made.map((path) => basename(path))].toSorted(),
    );
    for (const { path, steps, score } of soups) {
      if (path === undefined) continue;
      const { parents, metrics } = await readCheckpoint(join(project, path));
      expect(parents.map(({ step }) => step)).toEqual(steps.toSorted((a, b) => a - b));
      // The evaluator's score is that of the ranking; the trainer measured nothing.
      expect(metrics).toEqual({});
      const candidate = ranking.candidates.find(({ id }) => id === basename(path));
      expect(candidate?.metrics["accuracy"]?.value).toBe(score);
      expect(candidate?.rank).toBeGreaterThan(0);
      const artifact = JSON.parse(
        await readFile(join(project, "runs/points/artifacts", basename(path), "artifact.json"), "utf8"),
      ) as { readonly parity: readonly unknown[] };
      expect(artifact.parity.length).toBeGreaterThan(0);
    }
    const { stdout } = await requireCkpt(["ls", "runs/points"], cwd);
    for (const path of made) expect(stdout).toContain(basename(path));

    // A second run takes all of it as it is.
    const again = JSON.parse((await requireCkpt(["run", "--json"], cwd)).stdout) as RunDocument;
    expect(again.soups).toEqual(soups);
    expect(again.ranking).toEqual(ranking);
    expect((await requireCkpt(["verify", "runs/points"], cwd)).stdout).toContain("all as they were written");
  });

  it("goes on without where there is a single checkpoint", async () => {
    const single: readonly ConfigEdit[] = [
      ["epochs: 6", "epochs: 1"],
      ["    measureEverySteps: 8,\n", ""],
    ];
    const cwd = { cwd: await createProject(withSoups, ...single) };
    const { stdout, stderr } = await requireCkpt(["run", "--json"], cwd);
    expect(stderr).toContain("less than two trained checkpoints");
    const { soups, ranking } = JSON.parse(stdout) as RunDocument;
    expect(soups).toEqual([]);
    expect(ranking.candidates).toHaveLength(1);
  });

  it("never promotes one that was not measured", async () => {
    const project = await copyProject(inject("finished").project);
    const cwd = { cwd: project };
    const { stdout } = await requireCkpt(["average", "runs/points", "--last", "2", "--json"], cwd);
    const { path } = JSON.parse(stdout) as { readonly path: string };
    await requireCkpt(["freeze", path], cwd);
    const artifact = join("runs/points/artifacts", basename(path));
    const promoted = await runCkpt(["promote", artifact, "--alias", "champion"], cwd);
    expect(promoted.code).toBe(2);
    expect(promoted.stderr).toContain("one that is not in the ranking");
    const ranked = await runCkpt(["rank", "runs/points"], cwd);
    expect(ranked.code).toBe(3);
    expect(ranked.stderr).toContain("EVALUATION_NOT_FOUND");
  });

  it("computes batch-norm statistics on the train split, as ckpt average --batch-norm does", async () => {
    const project = await createProject(withSoups, withBatchNorm);
    const cwd = { cwd: project };
    const { stdout, stderr } = await requireCkpt(["run", "--json"], cwd);
    expect(stderr).toMatch(/soup {6}uniform .*, batch-norm statistics recomputed/);
    const [uniform] = (JSON.parse(stdout) as RunDocument).soups;
    expect(uniform?.path).toBeDefined();
    const made = await readCheckpoint(join(project, uniform?.path ?? ""));
    expect(made.reason).toContain("batch-norm statistics recomputed");
    expect(made.batchNorm).toMatchObject({ batchSize: 16, seed: 0 });
    const steps = ["--steps", uniform?.steps.join() ?? "", "--json"];
    const same = await requireCkpt(["average", "runs/points", ...steps, "--batch-norm"], cwd);
    expect(JSON.parse(same.stdout)).toMatchObject({ path: uniform?.path, isReused: true });
    const plain = await requireCkpt(["average", "runs/points", ...steps], cwd);
    const other = (JSON.parse(plain.stdout) as { readonly path: string }).path;
    expect(await readFile(join(project, other, "weights.bin"))).not.toEqual(
      await readFile(join(project, uniform?.path ?? "", "weights.bin")),
    );
  });
});
