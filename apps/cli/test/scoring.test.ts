import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createFolder, editConfig, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

interface Slices {
  readonly slices: readonly { readonly name: string; readonly rowCount: number }[];
  readonly worstSlices: Readonly<Record<string, string>>;
}

interface Ranking {
  readonly weights?: string;
  readonly groupBy?: string;
  readonly split: { readonly rowCount: number };
  readonly candidates: readonly (Slices & {
    readonly id: string;
    readonly metrics: Readonly<Record<string, { readonly value: number; readonly interval: readonly number[] }>>;
    readonly isReused?: boolean;
  })[];
}

let project: string;

/** The finished project, whose data file gets columns that the run knew nothing of. */
beforeAll(async () => {
  project = await copyProject(inject("finished").project);
  const path = join(project, "points.csv");
  const [header, ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
  const rows = lines.map((line, row) => `${line},${row % 5},${row % 2 === 0 ? "east" : "west"},m${row % 40}`);
  await writeFile(path, [`${header},weight,site,machine`, ...rows, ""].join("\n"));
});
afterAll(removeProjects);

async function ckptJson(...given: readonly string[]): Promise<Ranking> {
  return JSON.parse((await requireCkpt([...given, "--json"], { cwd: project })).stdout) as Ranking;
}

describe("columns of the data that weigh, group and slice rows", () => {
  it("count in the configuration from evaluation to ranking, on the predictions there are", async () => {
    const before = await ckptJson("rank", "runs/points");
    await editConfig(
      project,
      [
        "  model:",
        `  evaluate: {
    weights: "weight",
    groupBy: "machine",
    slices: { site: { column: "site" }, most: (row) => Number(row.x) > -1.6 },
  },
  model:`,
      ],
      [`label: { column: "color"`, `columns: ["x"],\n    label: { column: "color"`],
    );
    const refused = await runCkpt(["rank", "runs/points"], { cwd: project });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("evaluate.weights: expected none, as when split select was evaluated");

    const evaluated = await ckptJson("evaluate", "runs/points");
    expect(evaluated).toMatchObject({ weights: "weight", groupBy: "machine" });
    expect(evaluated.candidates.every(({ isReused }) => isReused)).toBe(true);
    expect(evaluated.split).toEqual(before.split);
    const [first] = evaluated.candidates;
    expect(first?.slices.map(({ name }) => name)).toEqual(["site=east", "site=west", "most"]);
    expect(first?.slices.slice(0, 2).reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(evaluated.split.rowCount);

    const ranked = await ckptJson("rank", "runs/points");
    for (const { id, metrics, slices } of ranked.candidates) {
      const own = evaluated.candidates.find((candidate) => candidate.id === id);
      expect({ metrics, slices }).toEqual({ metrics: own?.metrics, slices: own?.slices });
      expect(metrics).not.toEqual(before.candidates.find((candidate) => candidate.id === id)?.metrics);
    }
    expect((await requireCkpt(["verify", "runs/points"], { cwd: project })).stdout).toContain(
      "all as they were written",
    );
  });

  it("reach gates and the table, and a whole run", async () => {
    const { test } = JSON.parse((await requireCkpt(["run", "--json"], { cwd: project })).stdout) as {
      readonly test: Slices;
    };
    expect(test.slices.map(({ name }) => name)).toEqual(["site=east", "site=west", "most"]);
    const { stdout, stderr } = await requireCkpt(["run", "--resume"], { cwd: project });
    expect(stderr).toContain("stored predictions");
    expect(stdout).toMatch(/worst slice/);
    // The sites have less than 30 rows each here, and are not called the worst.
    expect(stdout).toMatch(/ {2}0\.\d{4} {2}most {2}/);
    expect(stdout).toContain("rows weighted by weight, grouped by machine; pick");

    const gate = [
      "gate",
      "runs/points",
      "--require",
      "accuracy[slice=site=west]>=0",
      "--require",
      "logLoss[slice=up]<=9",
    ];
    const { code, stdout: judged } = await runCkpt(gate, { cwd: project });
    expect(code).toBe(1);
    expect(judged).toMatch(/accuracy\[slice=site=west\]>=0 .*✔ pass/);
    expect(judged).toContain("there is no slice up");
    expect(judged).toContain("rows weighted by weight, grouped by machine");

    const [one = "", other = ""] = (await readdir(join(project, "runs/points/artifacts"))).toSorted();
    const artifacts = [one, other].map((name) => join("runs/points/artifacts", name));
    const compared = await requireCkpt(["diff", ...artifacts, "--split", "select"], { cwd: project });
    expect(compared.stdout).toContain("on the same 50 rows of split select weighted by weight, grouped by machine");
  });

  it("are typed for artifacts outside any run, and kept for the gate", async () => {
    const folder = await createFolder();
    const data = [
      "--data",
      join(project, "points.csv"),
      "--input",
      "point=x,y",
      "--label",
      "color",
      "--classes",
      "red,green,blue",
    ];
    await requireCkpt(["freeze", join(project, "runs/points/checkpoints", await newest()), "--out", "frozen/one"], {
      cwd: folder,
    });
    const typed = ["--slice", "site", "--slice", "heavy=weight:3..", "--weight", "weight", "--group-by", "machine"];
    const { stdout } = await requireCkpt(["evaluate", "frozen", ...data, ...typed, "--json"], { cwd: folder });
    const [only] = (JSON.parse(stdout) as Ranking).candidates;
    expect(only?.slices).toMatchObject([{ name: "site=east" }, { name: "site=west" }, { name: "heavy", rowCount: 96 }]);
    const gate = ["gate", "frozen/one", "--require", "accuracy[slice=heavy]>=0"];
    expect((await requireCkpt(gate, { cwd: folder })).stdout).toContain(
      "240 rows weighted by weight, grouped by machine",
    );

    // Without the options every row counts alike again, and the gate has no slices any more.
    await requireCkpt(["evaluate", "frozen", ...data], { cwd: folder });
    expect((await runCkpt(gate, { cwd: folder })).stdout).toContain("there is no slice heavy");

    const wrong = ["evaluate", "frozen", ...data, "--weight", "wieght"];
    const { code, stderr } = await runCkpt(wrong, { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toMatch(/DATA_COLUMN_NOT_FOUND: .*wieght/);
  });
});

async function newest(): Promise<string> {
  return (
    (await readdir(join(project, "runs/points/checkpoints")))
      .filter((name) => name.startsWith("step-"))
      .toSorted()
      .at(-1) ?? ""
  );
}
