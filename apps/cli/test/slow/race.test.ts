import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type RankingManifest, rankingManifestType, readDocument } from "@ckpt/manifest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createProject, removeProjects } from "../project.js";
import { type Outcome, requireCkpt, runCkpt } from "../run-ckpt.js";

const rowCount = 5700;
const run = "runs/points";

let project: string;
let first: Outcome;
let raced: RankingManifest;
let dropped: string;

const evaluate = (...given: readonly string[]): Promise<Outcome> =>
  runCkpt(["evaluate", run, "--json", ...given], { cwd: project });

const readRanking = (): Promise<RankingManifest> =>
  readDocument(rankingManifestType, join(project, run, "ranking.json"));

/** Many points around three centres, few of them to train on, and checkpoints from the first steps on. */
beforeAll(async () => {
  project = await createProject(
    [`{ train: 0.5, validation: 0.15, select: 0.2, test: 0.15 }`, `{ train: 0.06, validation: 0.03, select: 0.91 }`],
    [`import { keepBest, onImprovement }`, `import { everySteps }`],
    [`tf.train.adam(0.02)`, `tf.train.adam(0.004)`],
    [`save: onImprovement({ monitor: "val_loss" }),`, `save: everySteps(16),`],
    [`keep: [keepBest(3, { monitor: "val_loss" })],`, ``],
  );
  const lines = Array.from({ length: rowCount }, (_, index) => {
    const angle = ((index % 3) * 2 * Math.PI) / 3;
    const [x, y] = [Math.cos(angle) + 0.7 * Math.sin(index * 1.7), Math.sin(angle) + 0.7 * Math.cos(index ** 1.5)];
    return `${x.toFixed(4)},${y.toFixed(4)},${["red", "green", "blue"][index % 3]}`;
  });
  await writeFile(join(project, "points.csv"), `x,y,color\n${lines.join("\n")}\n`);
  first = await requireCkpt(["run"], { cwd: project });
  raced = await readRanking();
  dropped = raced.candidates.at(-1)?.id ?? "";
});
afterAll(removeProjects);

describe("a race", () => {
  it("is run by default where it pays, and drops losers before they are scored on all rows", async () => {
    expect(first.stderr).toMatch(/✔ race {6}\d+ of \d+ dropped on select {2}by accuracy \(\d+ of \d+ rows\)\n/);
    expect(first.stdout).toMatch(/dropped: by the race at row \d+ of \d+\n/);
    expect(first.stdout).toMatch(/\d+ dropped by a race by accuracy, on part of the rows: .* at most 5 %; --no-race/);
    expect(raced.race?.delta).toBe(0.05);
    const { candidates } = JSON.parse((await evaluate()).stdout) as RankingManifest & { candidates: object[] };
    expect(candidates.at(-1)).toMatchObject({
      id: dropped,
      status: "dropped",
      path: join(run, "artifacts", dropped),
      metrics: {},
    });
    expect(candidates.at(-1)).not.toHaveProperty("predictions");
  });

  it("is not run again, and ranked as it was", async () => {
    const { stderr } = await evaluate();
    expect(stderr).toMatch(/✔ race .* rows, stored race\)\n/);
    expect(stderr).toContain("stored predictions");
    await requireCkpt(["rank", run], { cwd: project });
    expect(await readRanking()).toEqual(raced);
    expect((await runCkpt(["verify", run], { cwd: project })).code).toBe(0);
  });

  it("says what a dropped one lacks, and how to get it", async () => {
    const path = join(run, "artifacts", dropped);
    const [ranked, gated, diffed, exported, promoted] = await Promise.all(
      [
        ["rank", run, "--metric", "logLoss"],
        ["gate", path, "--split", "select", "--require", "accuracy>=0.1"],
        ["diff", path, run, "--split", "select"],
        ["export", path, "--to", "predictions", "--split", "select", "--out", "predictions.csv"],
        ["promote", path, "--alias", "champion"],
      ].map((given) => runCkpt(given, { cwd: project })),
    );
    for (const outcome of [ranked, gated, diffed, exported]) {
      expect(outcome?.code).toBe(3);
      expect(outcome?.stderr).toMatch(/error EVALUATION_NOT_FOUND: .*a race by accuracy dropped it at row \d+ of \d+/);
      expect(outcome?.stderr).toContain("--no-race");
    }
    expect(promoted?.code).toBe(2);
    expect(promoted?.stderr).toMatch(/found one that was dropped by the race .*--no-race/);
  });

  it("is refused where there can be none, with the reason", async () => {
    const [metric, constraint] = await Promise.all([
      evaluate("--race", "--metric", "f1Macro"),
      evaluate("--race", "--constraint", "bytes<=2MB"),
    ]);
    expect(metric.code).toBe(2);
    expect(metric.stderr).toContain("f1Macro is no mean over rows of values within bounds");
    expect(constraint.code).toBe(2);
    expect(constraint.stderr).toContain("who breaks a constraint");
  });

  it("picks one of the best of all, which --no-race scores and ranks", async () => {
    const outcome = await evaluate("--no-race");
    expect(outcome.stderr).not.toContain("race ");
    const full = JSON.parse(outcome.stdout) as RankingManifest;
    expect(full.race).toBeUndefined();
    expect(full.candidates.map(({ status }) => status)).not.toContain("dropped");
    const values = full.candidates.map(({ metrics }) => metrics["accuracy"]?.value ?? 0);
    const best = full.candidates[values.indexOf(Math.max(...values))];
    expect(raced.candidates.find(({ id }) => id === best?.id)?.rank).toBe(1);
    await requireCkpt(["rank", run, "--metric", "logLoss"], { cwd: project });
    expect((await readRanking()).race).toBeUndefined();
  });
});
