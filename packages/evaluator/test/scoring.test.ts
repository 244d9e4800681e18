import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runLayout, scoringPath } from "@ckpt/manifest";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type ColumnScoring, listScoringColumns, scoreByColumns } from "../src/column-scoring.js";
import { compareEvaluations } from "../src/compare-evaluations.js";
import { computeMetrics, measureEvaluation } from "../src/compute-metrics.js";
import { evaluateArtifact } from "../src/evaluate-artifact.js";
import { judgeArtifact } from "../src/gate/judge-artifact.js";
import { parseRequirement } from "../src/gate/requirement.js";
import { rankArtifacts } from "../src/rank-artifacts.js";
import { readScoring, writeScoring } from "../src/scoring.js";
import { makeArtifact } from "./make-artifact.js";
import { makeClassSplit } from "./make-split.js";

const rowCount = 203;
const columns = {
  weight: Array.from({ length: rowCount }, (_, row) => String((row % 4) / 2)),
  patient: Array.from({ length: rowCount }, (_, row) => `p${Math.floor(row / 5)}`),
  site: Array.from({ length: rowCount }, (_, row) => ["north", "south", null][row % 3] ?? null),
  age: Array.from({ length: rowCount }, (_, row) => (row % 90).toFixed(1)),
};
const split = makeClassSplit(rowCount, { columns });
const choice: ColumnScoring = {
  weights: "weight",
  groupBy: "patient",
  slices: { old: { column: "age", range: [60, Infinity] }, even: (row) => Number(row["age"]) % 2 === 0 },
};

let folder: string;
let evaluations: string;
let artifacts: readonly [string, string];
let paths: readonly [string, string];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-scoring-"));
  evaluations = join(folder, runLayout.evaluations);
  const parent = join(folder, runLayout.artifacts);
  artifacts = [await makeArtifact(parent, "step-00000001", 1), await makeArtifact(parent, "step-00000002", 2)];
  const [first, second] = artifacts;
  paths = [
    (await evaluateArtifact({ artifact: first, split, evaluations })).path,
    (await evaluateArtifact({ artifact: second, split, evaluations })).path,
  ];
});
beforeEach(() => writeScoring(evaluations, split, {}));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The rows of a slice. */
function rowsOf(slice: NonNullable<ColumnScoring["slices"]>[string]): readonly number[] {
  const [found] = scoreByColumns(split, { slices: { found: slice } }).slices ?? [];
  return Array.from({ length: rowCount }, (_, row) => row).filter((row) => found?.includes(row));
}

const rowsWhere = (isIn: (row: number) => boolean): readonly number[] =>
  Array.from({ length: rowCount }, (_, row) => row).filter(isIn);

describe("scoreByColumns", () => {
  it("slices by a value, several, a range, or a predicate of a row", () => {
    expect(rowsOf({ column: "site", equals: "south" })).toEqual(rowsWhere((row) => row % 3 === 1));
    expect(rowsOf({ column: "age", in: [3, 5] })).toEqual(rowsWhere((row) => [3, 5].includes(row % 90)));
    expect(rowsOf({ column: "age", equals: "3" })).toEqual([]);
    expect(rowsOf({ column: "age", range: [18, 60] })).toEqual(rowsWhere((row) => row % 90 >= 18 && row % 90 < 60));
    expect(rowsOf({ column: "site", range: [-Infinity, Infinity] })).toEqual([]);
    expect(rowsOf(({ site, age }) => site === null && age === "2.0")).toEqual(rowsWhere((row) => row % 90 === 2));
  });

  it("makes a slice of each value of a column, empty cells being one", () => {
    const names = scoreByColumns(split, { slices: { at: { column: "site" } } }).slices?.map(({ name }) => name);
    expect(names).toEqual(["at=", "at=north", "at=south"]);
  });

  it("names the columns it needs, each once", () => {
    expect(
      listScoringColumns({ ...choice, slices: { ...choice.slices, young: { column: "age", equals: 1 } } }),
    ).toEqual(["weight", "patient", "age"]);
  });

  it.each<[ColumnScoring, string, string]>([
    [{ weights: "site" }, "weights", '"north" in row 0 of split select'],
    [{ groupBy: "site" }, "groupBy", "an empty cell in row 2 of split select"],
    [{ weights: "wieght" }, "weights", "wieght"],
    [{ slices: { old: { column: "years", equals: 1 } } }, "slices.old", "years"],
    [
      { slices: { site: { column: "site" }, "site=north": { column: "site", equals: "x" } } },
      "slices",
      "site=north twice",
    ],
  ])("refuses %j", (wrong, option, found) => {
    expect(() => scoreByColumns(split, wrong)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", details: expect.objectContaining({ option, found }) }),
    );
  });
});

describe("what is kept beside the evaluations", () => {
  it("is how metrics, rankings, comparisons and gates count rows, as if it were given to each", async () => {
    const scoring = scoreByColumns(split, choice);
    const options = {
      weights: scoring.weights?.values ?? new Float64Array(),
      groups: scoring.groups?.values ?? new Int32Array(),
      slices: scoring.slices ?? [],
    };
    const plain = await computeMetrics(paths[0]);
    const given = await measureEvaluation(paths[0], undefined, options);
    const rankedBy = { artifacts, evaluations, split: "select" };
    const ranked = await rankArtifacts({ ...rankedBy, weights: options.weights, groups: options.groups });

    await writeScoring(evaluations, split, scoring);
    const kept = await computeMetrics(paths[0]);
    expect(kept.metrics).toEqual(given.metrics.metrics);
    expect(kept.metrics).not.toEqual(plain.metrics);
    expect(kept.slices).toEqual(given.metrics.slices);
    expect(kept.slices?.map(({ name, rowCount: count }) => [name, count])).toEqual([
      ["old", rowsOf({ column: "age", range: [60, Infinity] }).length],
      ["even", rowsWhere((row) => (row % 90) % 2 === 0).length],
    ]);

    const ranking = await rankArtifacts(rankedBy);
    expect(ranking).toMatchObject({ weights: "weight", groupBy: "patient", corrected: ranked.corrected });
    expect(ranking.candidates.map(({ difference }) => difference)).toEqual(
      ranked.candidates.map(({ difference }) => difference),
    );
    const own = ranking.candidates.find(({ id }) => id === "step-00000001");
    expect(own).toMatchObject({ metrics: kept.metrics, slices: kept.slices, worstSlices: kept.worstSlices });

    const compared = await compareEvaluations(...paths);
    expect(compared).toMatchObject({ weights: "weight", groupBy: "patient" });
    const [accuracy] = compared.metrics;
    expect(accuracy?.first).toEqual(kept.metrics["accuracy"]);
    const other = ranking.candidates.find(({ id }) => id === "step-00000002");
    expect(accuracy?.second).toEqual(other?.metrics["accuracy"]);
  });

  it("has slices for a gate at any confidence, which metrics.json has only at its own", async () => {
    await writeScoring(evaluations, split, scoreByColumns(split, choice));
    const { metrics } = await measureEvaluation(paths[0], ["accuracy"], { confidence: 0.8 });
    const old = metrics.slices?.find(({ name }) => name === "old")?.metrics["accuracy"];
    const judged = await judgeArtifact({
      artifact: artifacts[0],
      evaluations,
      split: "select",
      confidence: 0.8,
      requirements: [parseRequirement("accuracy[slice=old]>=0"), parseRequirement("accuracy[worst slice]>=0")],
    });
    expect(judged).toMatchObject({ verdict: "pass", weights: "weight", groupBy: "patient" });
    expect(judged.judgements[0]?.found).toEqual(old);
  });

  it("gives way to what is given, and is gone when nothing is kept any more", async () => {
    const scoring = scoreByColumns(split, choice);
    await writeScoring(evaluations, split, scoring);
    const weights = new Float64Array(rowCount).fill(1);
    const { slices } = (await measureEvaluation(paths[0], undefined, { weights, slices: [] })).metrics;
    expect(slices).toEqual([]);
    expect((await readScoring(evaluations, split)).weights).toEqual(scoring.weights);
    await writeScoring(evaluations, split, {});
    expect(await readScoring(evaluations, split)).toEqual({});
    expect((await readdir(evaluations)).filter((name) => name.startsWith(".scoring"))).toEqual([]);
  });

  it("is refused when a byte of it is another one: no figure counts rows otherwise than was said", async () => {
    await writeScoring(evaluations, split, scoreByColumns(split, choice));
    const path = scoringPath(evaluations, split.digest);
    await writeFile(path, (await readFile(path, "utf8")).replace('"weight"', '"weighs"'));
    await expect(computeMetrics(paths[0])).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });
});
