import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { type RankedCandidate, type RankingManifest, runLayout, type Split } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { parseConstraint } from "../src/constraint.js";
import { evaluateArtifacts } from "../src/evaluate-artifacts.js";
import { findEvaluation } from "../src/find-evaluations.js";
import { createMeanMetric } from "../src/metrics/mean-metric.js";
import { raceArtifacts, type RaceArtifactsOptions, type RaceOutcome } from "../src/race/race-artifacts.js";
import type { RaceProgress } from "../src/race/run-race.js";
import { rankArtifacts, type RankArtifactsOptions } from "../src/rank-artifacts.js";
import { writeScoring } from "../src/scoring.js";
import { makeFolder } from "./make-folder.js";
import { makeSpread, type Spread } from "./make-spread.js";

const rowCount = 6000;
/** Ten candidates from 98 % to 16 % accuracy; the best is not the first. */
const noises = [0.2, 0.5, 0.05, 1.4, 0.8, 0.35, 0.65, 0.95, 1.1, 1.25];
const best = "step-00000003";

async function makeRun(own: readonly number[] = noises, rows = rowCount): Promise<Spread> {
  return makeSpread(await makeFolder(), rows, own);
}

type RankBy = Pick<RankArtifactsOptions, "metric">;

/** Races, scores who is left on all rows, and ranks all. */
async function raceAndRank(run: Spread, options: RankBy = {}): Promise<RankingManifest> {
  const { artifacts } = await raceArtifacts({ ...run, ...options });
  await evaluateArtifacts({ ...run, artifacts });
  return rankArtifacts({ ...run, split: "select", ...options });
}

async function rankFully(run: Spread, options: RankBy = {}): Promise<RankingManifest> {
  const evaluations = join(run.path, "full");
  await evaluateArtifacts({ ...run, evaluations });
  return rankArtifacts({ ...run, split: "select", ...options, evaluations });
}

/** The one race's document as it is on disk. */
async function readRace({ evaluations }: Pick<Spread, "evaluations">): Promise<string> {
  const folder = join(evaluations, runLayout.races);
  const [name = "", ...others] = await readdir(folder);
  expect(others).toEqual([]);
  return readFile(join(folder, name), "utf8");
}

const find = ({ candidates }: RankingManifest, id: string): RankedCandidate | undefined =>
  candidates.find((candidate) => candidate.id === id);

const refuseRows: Split["gather"] = () => Promise.reject(new Error("no such rows"));

const idsOf = (artifacts: readonly string[]): readonly string[] => artifacts.map((path) => basename(path));

describe("raceArtifacts", () => {
  it("drops losers on few rows, and the ranking of the others has the pick of the full one", async () => {
    const run = await makeRun();
    const ranking = await raceAndRank(run);
    const full = await rankFully(run);
    expect(full.pick?.id).toBe(best);
    expect(ranking.pick).toMatchObject({ id: best, artifact: full.pick?.artifact });
    const dropped = ranking.candidates.filter(({ status }) => status === "dropped");
    expect(dropped.length).toBeGreaterThan(6);
    expect(ranking.candidates.slice(-dropped.length)).toEqual(dropped);
    for (const { id, rank, evaluation, metrics, dropped: found, reason } of dropped) {
      expect([rank, evaluation, metrics]).toEqual([undefined, undefined, {}]);
      expect(found?.rowsSeen).toBeLessThanOrEqual(rowCount / 8);
      expect(reason).toBe(`by the race at row ${found?.rowsSeen} of ${rowCount}`);
      const whole = find(full, id)?.metrics["accuracy"]?.value ?? NaN;
      const [low = NaN, high = NaN] = found?.metric.interval ?? [];
      expect(whole).toBeGreaterThanOrEqual(low);
      expect(whole).toBeLessThanOrEqual(high);
    }
    const { digest } = JSON.parse(await readRace(run)) as { readonly digest: string };
    expect(ranking.race).toEqual({ digest, delta: 0.05 });
    expect(full.race).toBeUndefined();
    // What was scored on all rows stands as in the full ranking.
    expect(find(ranking, best)?.metrics).toEqual(find(full, best)?.metrics);
  });

  it.each(["logLoss", "brierScore"])("finds the best by %s too", async (metric) => {
    const run = await makeRun();
    const ranking = await raceAndRank(run, { metric });
    expect(ranking.pick?.id).toBe((await rankFully(run, { metric })).pick?.id);
    expect(ranking.candidates.at(-1)?.status).toBe("dropped");
  });

  it("stores the same bytes with 1 or 8 workers, whatever the order of the artifacts", async () => {
    const run = await makeRun();
    const documents = new Set<string>();
    for (const workers of [1, 2, 8]) {
      const evaluations = join(run.path, `workers-${workers}`);
      const artifacts = workers === 2 ? run.artifacts.toReversed() : run.artifacts;
      const outcome = await raceArtifacts({ ...run, artifacts, evaluations, workers });
      expect(idsOf(outcome.artifacts)).toContain(best);
      documents.add(await readRace({ evaluations }));
    }
    expect(documents.size).toBe(1);
  });

  it("runs on TensorFlow.js too, and drops the same", async () => {
    const run = await makeRun(noises.slice(0, 4), 800);
    const outcomes: RaceOutcome[] = [];
    for (const engine of ["tfjs", "onnxruntime-node"] as const) {
      // The GraphModel has no noise: all are equal there.
      outcomes.push(await raceArtifacts({ ...run, engine, isDemanded: true }));
    }
    expect(outcomes[0]?.artifacts).toEqual(run.artifacts);
    expect(outcomes[0]?.race?.candidates.map(({ engine }) => engine.name)).toEqual(Array(4).fill("tfjs"));
    expect(outcomes[1]?.artifacts.length).toBeLessThan(4);
  });

  it("costs no inference again, and leaves a candidate that comes later to be scored on all rows", async () => {
    const all = await makeRun([...noises, 0, ...Array<number>(8).fill(1.5)]);
    const run = { ...all, artifacts: all.artifacts.slice(0, noises.length) };
    const first = await raceAndRank(run);
    const document = await readRace(run);
    const again = await raceArtifacts({ ...run, split: { ...run.split, gather: refuseRows } });
    expect(again.isReused).toBe(true);
    expect(idsOf(again.artifacts)).toEqual(
      run.artifacts.map((path) => basename(path)).filter((id) => find(first, id)?.rank),
    );
    const outcomes = await evaluateArtifacts({ ...run, artifacts: again.artifacts });
    expect(outcomes.every((outcome) => "evaluation" in outcome && outcome.evaluation.isReused)).toBe(true);
    expect(await rankArtifacts({ ...run, split: "select" })).toEqual(first);
    expect(await readRace(run)).toBe(document);

    const more = { ...all, artifacts: all.artifacts.slice(0, noises.length + 1) };
    const third = await raceArtifacts({ ...more, split: { ...run.split, gather: refuseRows } });
    expect([third.isReused, third.race]).toEqual([true, again.race]);
    expect(idsOf(third.artifacts)).toEqual([...idsOf(again.artifacts), "step-00000011"]);
    const ranking = await raceAndRank(more);
    expect(ranking.pick?.id).toBe("step-00000011");
    expect(ranking.race?.digest).toBe(again.race?.digest);

    // Eight more are worth a race of their own, which those that were dropped take part in.
    const fourth = await raceArtifacts(all);
    expect(fourth.isReused).toBe(false);
    expect(fourth.race?.candidates).toHaveLength(all.artifacts.length - third.artifacts.length);
    expect((await raceAndRank(all)).race?.digest).toBe(fourth.race?.digest);
  });

  it("leaves nothing behind when it is stopped, and then gives the same", async () => {
    const run = await makeRun();
    const whole = await raceArtifacts({ ...run, evaluations: join(run.path, "whole") });
    const seen: RaceProgress[] = [];
    const stop = (progress: RaceProgress): void => {
      seen.push(progress);
      throw new Error("stopped");
    };
    await expect(raceArtifacts({ ...run, onProgress: stop })).rejects.toThrow("stopped");
    expect(seen).toEqual([
      { candidateCount: 10, runningCount: expect.any(Number) as number, rowsSeen: 128, rowsTotal: rowCount / 8 },
    ]);
    await expect(readdir(run.evaluations)).rejects.toThrow("ENOENT");
    expect((await readdir(join(run.path, runLayout.artifacts))).filter((name) => name.startsWith("."))).toEqual([]);
    const unreadable: Split = { ...run.split, gather: refuseRows };
    await expect(raceArtifacts({ ...run, split: unreadable })).rejects.toThrow("no such rows");
    expect((await raceArtifacts(run)).race).toEqual(whole.race);
  });

  it("drops none of equal ones, and all are scored on all rows", async () => {
    const run = await makeRun(Array<number>(8).fill(0.3));
    const outcome = await raceArtifacts(run);
    expect(outcome.artifacts).toEqual(run.artifacts);
    expect(outcome.race?.looks.at(-1)).toBe(rowCount / 8);
    const ranking = await raceAndRank(run);
    expect(ranking.race).toBeUndefined();
    expect(ranking.candidates.map(({ status }) => status)).toEqual(["best", ...Array<string>(7).fill("tied")]);
  });

  it("leaves out what gives NaN, which is then listed as failed", async () => {
    const run = await makeRun([NaN, ...noises]);
    const ranking = await raceAndRank(run);
    expect(JSON.parse(await readRace(run))).toMatchObject({ candidates: { length: 10 } });
    expect(ranking.pick?.id).toBe("step-00000004");
    expect(find(ranking, "step-00000001")).toMatchObject({
      status: "failed",
      reason: "output probabilities is NaN in row 0, column 0",
    });
    expect(ranking.candidates.filter(({ status }) => status === "dropped").length).toBeGreaterThan(6);
  });

  it("goes on without an artifact that cannot be run", async () => {
    const run = await makeRun();
    const [damaged = ""] = run.artifacts;
    await writeFile(join(damaged, "model.onnx"), "damaged");
    const outcome = await raceArtifacts(run);
    expect(outcome.race?.candidates).toHaveLength(9);
    expect(outcome.artifacts).toContain(damaged);
    expect(await raceArtifacts(run)).toEqual({ ...outcome, isReused: true });
    expect(await evaluateArtifacts({ ...run, artifacts: outcome.artifacts })).toContainEqual(
      expect.objectContaining({ artifact: damaged, failure: expect.any(Error) as Error }),
    );
  });

  it("races only those without stored predictions", async () => {
    const run = await makeRun([...noises, 0.1, 0.15]);
    const [first = "", ...others] = run.artifacts;
    await evaluateArtifacts({ ...run, artifacts: [first] });
    const outcome = await raceArtifacts(run);
    expect(outcome.race?.candidates).toHaveLength(others.length);
    expect(outcome.artifacts[0]).toBe(first);
    await evaluateArtifacts({ ...run, evaluations: join(run.path, "all") });
    const none = await raceArtifacts({ ...run, evaluations: join(run.path, "all"), isDemanded: true });
    expect(none).toEqual({ artifacts: run.artifacts, isReused: false });
  });

  it("does not run where it does not pay, unless it is demanded", async () => {
    const few = await makeRun(noises.slice(0, 7));
    expect(await raceArtifacts(few)).toEqual({ artifacts: few.artifacts, isReused: false });
    expect((await raceArtifacts({ ...few, isDemanded: true })).artifacts.length).toBeLessThan(7);
    await expect(raceArtifacts({ ...few, workers: 0 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
    const short = await makeRun(noises, 4999);
    expect((await raceArtifacts(short)).race).toBeUndefined();
  });

  const own = createMeanMetric({
    name: "own",
    aliases: [],
    task: "classification",
    mode: "max",
    range: [0, 1],
    needsProbabilities: false,
    scoreRow: () => 1,
  });
  const obstacles: readonly (readonly [Partial<RaceArtifactsOptions>, string])[] = [
    [{ metric: "f1Macro" }, "f1Macro is no mean over rows of values within bounds"],
    [{ constraints: [parseConstraint("bytes<=2MB")] }, "constraint"],
    [{ weights: new Float64Array(rowCount).fill(1) }, "weights"],
    [{ metric: own }, "metric of your own"],
  ];
  it.each(obstacles)("says why there can be no race when it is demanded: %#", async (options, reason) => {
    const run = await makeRun();
    expect(await raceArtifacts({ ...run, ...options })).toEqual({ artifacts: run.artifacts, isReused: false });
    await expect(raceArtifacts({ ...run, ...options, isDemanded: true })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "race", found: expect.stringContaining(reason) as string },
    });
  });
});

it("neither runs nor counts where rows are kept to have weights", async () => {
  const run = await makeRun();
  const values = new Float64Array(rowCount).fill(1);
  const raced = await raceAndRank(run);
  expect(raced.race).toBeDefined();
  await writeScoring(run.evaluations, run.split, { weights: { column: "w", values } });
  await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({ code: "EVALUATION_NOT_FOUND" });
  const evaluations = join(run.path, "weighed");
  await writeScoring(evaluations, run.split, { weights: { column: "w", values } });
  expect((await raceArtifacts({ ...run, evaluations })).race).toBeUndefined();
});

describe("a dropped artifact", () => {
  it("is named with the remedy where its predictions are needed, and is ranked once they are there", async () => {
    const run = await makeRun();
    const byRace = await raceAndRank(run);
    const { id: dropped = "" } = byRace.candidates.find(({ status }) => status === "dropped") ?? {};
    const path = join(run.path, runLayout.artifacts, dropped);
    const missing = {
      code: "EVALUATION_NOT_FOUND",
      details: { race: { metric: "accuracy", rowCount } },
      message: expect.stringContaining("a race by accuracy dropped it at row") as string,
      remedy: expect.stringContaining("--no-race") as string,
    };
    const choice = { evaluations: run.evaluations, split: "select" };
    await expect(findEvaluation(path, choice)).rejects.toMatchObject(missing);
    await expect(rankArtifacts({ ...run, split: "select", metric: "logLoss" })).rejects.toMatchObject(missing);
    const constraints = [parseConstraint("bytes<=2MB")];
    await expect(rankArtifacts({ ...run, split: "select", constraints })).rejects.toMatchObject(missing);
    // Without the one that the race left, nobody knows who of the others is the best.
    const others = run.artifacts.filter((artifact) => basename(artifact) !== best);
    await expect(rankArtifacts({ ...run, artifacts: others, split: "select" })).rejects.toMatchObject(missing);

    await evaluateArtifacts(run);
    const full = await rankArtifacts({ ...run, split: "select" });
    expect(full.race).toBeUndefined();
    expect(full.candidates.map(({ status }) => status)).not.toContain("dropped");
  });

  it("does not count as one when what the race left turns out to be unfit", async () => {
    const run = await makeRun();
    const { artifacts } = await raceArtifacts(run);
    expect(idsOf(artifacts)).toEqual([best]);
    const read: Split["read"] = async (start, end) => {
      const batch = await run.split.read(start, end);
      const features = Float32Array.from(batch.inputs["features"]?.data ?? []);
      features[features.length - 1] = NaN;
      return { ...batch, inputs: { features: { data: features, shape: [end - start, 4] } } };
    };
    await evaluateArtifacts({ ...run, artifacts, split: { ...run.split, read } });
    await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({ code: "EVALUATION_NOT_FOUND" });
    // The others race again, and that race counts.
    const others = run.artifacts.filter((artifact) => !artifacts.includes(artifact));
    const second = await raceArtifacts({ ...run, artifacts: others });
    expect(second.isReused).toBe(false);
    await evaluateArtifacts({ ...run, artifacts: second.artifacts });
    const ranking = await rankArtifacts({ ...run, split: "select" });
    expect(ranking.pick?.id).toBe("step-00000001");
    expect(find(ranking, best)?.status).toBe("failed");
    expect(ranking.race?.digest).toBe(second.race?.digest);
  });

  it("is not believed when the race's document is damaged", async () => {
    const run = await makeRun();
    await raceAndRank(run);
    const folder = join(run.evaluations, runLayout.races);
    const [name = ""] = await readdir(folder);
    const text = await readFile(join(folder, name), "utf8");
    await writeFile(join(folder, name), text.replace('"isDropped": true', '"isDropped": false'));
    await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });
});
