import { lstat, mkdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { artifactPath, digestBytes, rankingManifestType, readDocument, runLayout } from "@ckpt/manifest";
import { describe, expect, it, vi } from "vitest";

import { computeMetrics } from "../src/compute-metrics.js";
import { parseConstraint } from "../src/constraint.js";
import { evaluateArtifact } from "../src/evaluate-artifact.js";
import { createMeanMetric } from "../src/metrics/mean-metric.js";
import { rankArtifacts } from "../src/rank-artifacts.js";
import { writeRanking } from "../src/write-ranking.js";
import { makeArtifact, readWeights } from "./make-artifact.js";
import { makeFolder } from "./make-folder.js";
import { type MadeSplit, makeClassSplit } from "./make-split.js";

interface Run {
  readonly path: string;
  readonly artifacts: readonly [string, string];
  readonly evaluations: string;
  readonly split: MadeSplit;
}

/** A run with two artifacts; the labels are what the second one predicts. */
async function makeRun(): Promise<Run> {
  const path = await makeFolder();
  const evaluations = join(path, runLayout.evaluations);
  const parent = join(path, runLayout.artifacts);
  const artifacts = [
    await makeArtifact(parent, "step-00000001", 1),
    await makeArtifact(parent, "step-00000002", 2),
  ] as const;
  const blank = makeClassSplit(60);
  const oracle = await evaluateArtifact({ artifact: artifacts[1], split: blank, evaluations: join(path, "oracle") });
  const bytes = await readFile(join(oracle.path, "predictions.bin"));
  const predictions = new Float32Array(Uint8Array.from(bytes).buffer);
  const labels = Int32Array.from({ length: 60 }, (_, row) => {
    const scores = [...predictions.subarray(row * 3, row * 3 + 3)];
    return scores.indexOf(Math.max(...scores));
  });
  blank.labels.set(labels);
  const split: MadeSplit = { ...blank, digest: digestBytes("the oracle's labels") };
  return { path, artifacts, evaluations, split };
}

async function evaluateAll({ artifacts, evaluations, split }: Run, engine: "tfjs" | "auto" = "auto"): Promise<void> {
  for (const artifact of artifacts) await evaluateArtifact({ artifact, evaluations, split, engine });
}

describe("rankArtifacts", () => {
  it("ranks by stored predictions alone", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    // No engine could run them any more.
    for (const artifact of run.artifacts) await rm(join(artifact, "model.onnx"));
    const ranking = await rankArtifacts({ ...run, split: "select" });
    expect(ranking).toMatchObject({
      kind: "ranking",
      split: { name: "select", rowCount: 60, digest: run.split.digest },
      metric: { name: "accuracy", mode: "max" },
      tieRules: ["lower logLoss", "lower bytes", "higher accuracy", "earlier step", "smaller artifact digest"],
      candidates: [
        { id: "step-00000002", rank: 1, status: "best", checkpoint: { step: 2 }, metrics: { accuracy: { value: 1 } } },
        { id: "step-00000001", rank: 2, status: "worse", checkpoint: { step: 1 } },
      ],
      pick: { id: "step-00000002", decidedBy: "higher accuracy" },
    });
    expect(ranking.candidates[1]?.metrics["accuracy"]?.value).toBeLessThan(1);
    expect(await rankArtifacts({ ...run, split: run.split.digest })).toEqual(ranking);
  });

  it("ranks by another metric, and gives the figures of metrics.json", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const ranking = await rankArtifacts({ ...run, split: "select", metric: "log_loss" });
    expect(ranking.metric).toEqual({ name: "logLoss", mode: "min" });
    const { path } = await evaluateArtifact({ artifact: run.artifacts[1], ...run });
    const stored = await computeMetrics(path);
    expect(ranking.candidates.find(({ id }) => id === "step-00000002")?.metrics["logLoss"]).toEqual(
      stored.metrics["logLoss"],
    );
    await expect(rankArtifacts({ ...run, split: "select", metric: "acuracy" })).rejects.toMatchObject({
      code: "METRIC_NOT_FOUND",
    });
  });

  it("names the artifact that has no predictions", async () => {
    const run = await makeRun();
    await evaluateArtifact({ artifact: run.artifacts[0], ...run });
    await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({
      code: "EVALUATION_NOT_FOUND",
      details: { path: run.artifacts[1] },
    });
    await evaluateAll(run);
    await expect(rankArtifacts({ ...run, split: "test" })).rejects.toMatchObject({ code: "EVALUATION_NOT_FOUND" });
    await expect(rankArtifacts({ ...run, split: "select", engine: "tfjs" })).rejects.toMatchObject({
      code: "EVALUATION_NOT_FOUND",
    });
  });

  it("does not take predictions of another artifact that had the same name", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    await rm(run.artifacts[0], { recursive: true });
    await makeArtifact(join(run.path, runLayout.artifacts), "step-00000001", 2, { step: 7 });
    await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({
      code: "EVALUATION_NOT_FOUND",
      details: { path: run.artifacts[0] },
    });
  });

  it("compares candidates on the same rows only", async () => {
    const run = await makeRun();
    const other = makeClassSplit(60, {}, 2);
    await evaluateArtifact({ artifact: run.artifacts[0], ...run });
    await evaluateArtifact({ artifact: run.artifacts[1], ...run, split: other });
    await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({ code: "EVALUATION_NOT_FOUND" });
    await evaluateAll(run);
    expect((await rankArtifacts({ ...run, split: "select" })).split.digest).toBe(run.split.digest);
    await evaluateAll({ ...run, split: other });
    await expect(rankArtifacts({ ...run, split: "select" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "split", expected: expect.stringContaining(other.digest) as string },
    });
    expect((await rankArtifacts({ ...run, split: other.digest })).split.digest).toBe(other.digest);
  });

  it("prefers onnxruntime-node's predictions to tfjs's, unless told otherwise", async () => {
    const run = await makeRun();
    await evaluateAll(run, "tfjs");
    const tfjs = await rankArtifacts({ ...run, split: "select" });
    await evaluateAll(run);
    const onnx = await rankArtifacts({ ...run, split: "select" });
    expect(onnx.candidates[0]?.evaluation).not.toBe(tfjs.candidates[0]?.evaluation);
    expect(await rankArtifacts({ ...run, split: "select", engine: "tfjs" })).toEqual(tfjs);
  });

  it("ranks the others when one gives NaN", async () => {
    const run = await makeRun();
    const { b2, ...weights } = await readWeights(1);
    const broken = await makeArtifact(join(run.path, runLayout.artifacts), "step-00000003", 1, {
      formats: ["graph-model"],
      weights: { ...weights, b2: [b2?.[0] ?? 0, NaN, 0] },
      step: 3,
    });
    const artifacts = [broken, ...run.artifacts];
    for (const artifact of artifacts) await evaluateArtifact({ artifact, ...run });
    const ranking = await rankArtifacts({ ...run, artifacts, split: "select" });
    expect(ranking.candidates.map(({ id, status }) => [id, status])).toEqual([
      ["step-00000002", "best"],
      ["step-00000001", "worse"],
      ["step-00000003", "failed"],
    ]);
    expect(ranking.candidates[2]?.reason).toMatch(/^output probabilities is NaN in row 0, column \d$/);
    expect(ranking.pick?.id).toBe("step-00000002");
  });

  it("compares each with the pick on the same rows, and corrects the pick's figure for having been chosen", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const ranking = await rankArtifacts({ ...run, split: "select" });
    const [best, other] = ranking.candidates;
    const accuracy = other?.metrics["accuracy"]?.value ?? NaN;
    const wrong = Math.round(60 * (1 - accuracy));
    expect(best).not.toHaveProperty("difference");
    expect(other?.difference?.value).toBeCloseTo(accuracy - 1, 12);
    const [low, high] = other?.difference?.interval ?? [NaN, NaN];
    expect(low).toBeLessThan(accuracy - 1);
    expect(high).toBeLessThan(0);
    // The pick has every row right: two-sided, 2 * 2^-n.
    expect(other?.mcnemar).toMatchObject({ onlyThis: 0, onlyPick: wrong });
    expect(other?.mcnemar?.exact).toBeCloseTo(2 ** (1 - wrong), 12);
    expect(ranking.corrected?.value).toBeCloseTo(1, 12);
  });

  it("calls an equal artifact tied, and lets the tie rules decide", async () => {
    const run = await makeRun();
    const twin = await makeArtifact(join(run.path, runLayout.artifacts), "step-00000009", 2, { step: 9 });
    const artifacts = [twin, ...run.artifacts];
    for (const artifact of artifacts) await evaluateArtifact({ artifact, ...run });
    const ranking = await rankArtifacts({ ...run, artifacts, split: "select" });
    expect(ranking.candidates.map(({ id, rank, status }) => [id, rank, status])).toEqual([
      ["step-00000002", 1, "best"],
      ["step-00000009", 1, "tied"],
      ["step-00000001", 3, "worse"],
    ]);
    expect(ranking.pick?.decidedBy).toBe("earlier step");
    expect(ranking.candidates[1]).toMatchObject({ difference: { value: 0 }, mcnemar: { exact: 1, midP: 1 } });
  });

  it("compares by a metric that is no mean, and by one of your own", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const f1 = await rankArtifacts({ ...run, split: "select", metric: "f1" });
    expect(f1.candidates.map(({ status }) => status)).toEqual(["best", "worse"]);
    expect(f1.candidates[1]?.difference?.interval?.[1]).toBeLessThan(0);
    expect(f1.candidates[1]).not.toHaveProperty("mcnemar");
    const confidence = createMeanMetric({
      name: "confidence",
      aliases: [],
      task: "classification",
      mode: "max",
      range: [0, 1],
      needsProbabilities: true,
      scoreRow: ({ predictions, labels, columnCount }, row) => predictions[row * columnCount + (labels[row] ?? 0)] ?? 0,
    });
    const own = await rankArtifacts({ ...run, split: "select", metric: confidence, metrics: ["accuracy"] });
    expect(own.metric).toEqual({ name: "confidence", mode: "max" });
    expect(own.candidates[1]?.difference?.value).toBeLessThan(0);
  });

  it("weighs rows: with weight only where the worse one is right, both are equal", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const { path } = await evaluateArtifact({ artifact: run.artifacts[0], ...run });
    const bytes = await readFile(join(path, "predictions.bin"));
    const predictions = new Float32Array(Uint8Array.from(bytes).buffer);
    const weights = Float64Array.from(run.split.labels, (label, row) => {
      const scores = predictions.subarray(row * 3, row * 3 + 3);
      return Number(scores.indexOf(Math.max(...scores)) === label);
    });
    const ranking = await rankArtifacts({ ...run, split: "select", weights });
    expect(ranking.candidates.map(({ metrics }) => metrics["accuracy"]?.value)).toEqual([1, 1]);
    expect(ranking.candidates.map(({ rank }) => rank)).toEqual([1, 1]);
  });

  it("excludes who breaks a constraint, by the bytes of the format that was run or by a measure that is given", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const plain = await rankArtifacts({ ...run, split: "select" });
    const bytes = (await lstat(join(run.artifacts[1], "model.onnx"))).size;
    expect(plain.candidates[0]?.measures).toEqual({ bytes });
    const measures = { "step-00000001": { p95: 1, rss: 5e7 }, "step-00000002": { p95: 6, rss: 5e7 } };
    const ranking = await rankArtifacts({
      ...run,
      split: "select",
      measures,
      constraints: [parseConstraint("p95<=5ms"), parseConstraint("bytes<=2MB")],
    });
    expect(ranking.candidates.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ["step-00000001", "best", undefined],
      ["step-00000002", "excluded", "p95<=5ms: it is 6 ms"],
    ]);
    expect(ranking.candidates[0]?.measures).toEqual({ bytes, p95: 1 });
    expect(ranking).not.toHaveProperty("corrected");
    const none = await rankArtifacts({ ...run, split: "select", constraints: [parseConstraint("p95<=5ms")] });
    expect(none.pick).toBeUndefined();
    expect(none.candidates[0]?.reason).toBe("p95<=5ms: there is no p95");
    const byMetric = await rankArtifacts({ ...run, split: "select", constraints: [parseConstraint("recall>=0.9")] });
    expect(byMetric.candidates.map(({ status }) => status)).toEqual(["best", "excluded"]);
    await expect(
      rankArtifacts({ ...run, split: "select", constraints: [parseConstraint("recal>=0.9")] }),
    ).rejects.toMatchObject({ code: "METRIC_NOT_FOUND" });
  });

  it("has no test of single rows where rows belong together or have weights", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const groups = Int32Array.from({ length: 60 }, (_, row) => row % 20);
    const weights = new Float64Array(60).fill(2);
    expect((await rankArtifacts({ ...run, split: "select" })).candidates[1]).toHaveProperty("mcnemar");
    for (const options of [{ groups }, { weights }]) {
      const ranking = await rankArtifacts({ ...run, split: "select", ...options });
      expect(ranking.candidates[1]).not.toHaveProperty("mcnemar");
      expect(ranking.candidates[1]?.difference?.interval).toBeDefined();
    }
  });

  it("spends no time on slices, which decide nothing", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const includes = vi.fn(() => true);
    const sliced = { ...run, slices: [{ name: "all", includes }] };
    const ranking = await rankArtifacts({ ...sliced, split: "select" });
    expect(includes).not.toHaveBeenCalled();
    expect(ranking).toEqual(await rankArtifacts({ ...run, split: "select" }));
  });

  it("has all intervals of the confidence asked for, that of the corrected figure too", async () => {
    const run = await makeRun();
    // What both predict is noise to these labels, so that the best differs from one resample to the next.
    run.split.labels.set(makeClassSplit(60, {}, 2).labels);
    await evaluateAll(run);
    const widthAt = async (confidence: number): Promise<number> => {
      const { corrected } = await rankArtifacts({ ...run, split: "select", confidence });
      const [low = NaN, high = NaN] = corrected?.interval ?? [];
      return high - low;
    };
    // Of a figure near to normal: 0.674 deviations to each side, and 2.576.
    const ratio = (await widthAt(0.99)) / (await widthAt(0.5));
    expect(ratio).toBeGreaterThan(3);
    expect(ratio).toBeLessThan(5);
  });

  it("knows a constraint's metric by an alias, in snake_case and with its default option", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const statuses = async (text: string): Promise<readonly string[]> => {
      const ranking = await rankArtifacts({ ...run, split: "select", constraints: [parseConstraint(text)] });
      expect(ranking.constraints).toEqual([text]);
      return ranking.candidates.map(({ status }) => status);
    };
    for (const text of ["ece@15<=1", "f1_macro>=0", "mcc>=-1", "topKAccuracy@2>=0"]) {
      expect(await statuses(text)).toEqual(["best", "worse"]);
    }
    for (const text of ["f1_macro>=0.9", "mcc>0.9"]) expect(await statuses(text)).toEqual(["best", "excluded"]);
  });

  it("refuses no artifacts, and two of the same name", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    await expect(rankArtifacts({ ...run, artifacts: [], split: "select" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    const artifacts = [run.artifacts[0], run.artifacts[0]];
    await expect(rankArtifacts({ ...run, artifacts, split: "select" })).rejects.toMatchObject({
      details: { found: "step-00000001 twice" },
    });
  });
});

describe("writeRanking", () => {
  it("writes ranking.json and points best at the pick, by a relative link that is replaced", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const ranking = await rankArtifacts({ ...run, split: "select" });
    await writeRanking(run.path, ranking);
    const written = await readDocument(rankingManifestType, join(run.path, runLayout.ranking));
    expect(written).toEqual({ ...ranking, digest: written.digest });
    const best = join(run.path, runLayout.best);
    expect(await readlink(best)).toBe("artifacts/step-00000002");
    expect(await readFile(join(best, "artifact.json"))).toEqual(
      await readFile(join(artifactPath(run.path, "step-00000002"), "artifact.json")),
    );
    const pick = { id: "step-00000001", artifact: digestBytes("x"), decidedBy: "higher accuracy" };
    await writeRanking(run.path, { ...ranking, pick });
    expect(await readlink(best)).toBe("artifacts/step-00000001");
    const { pick: _pick, ...withoutPick } = ranking;
    await writeRanking(run.path, withoutPick);
    await expect(lstat(best)).rejects.toMatchObject({ code: "ENOENT" });
    await writeRanking(run.path, withoutPick);
  });

  it("never replaces a folder called best", async () => {
    const run = await makeRun();
    await evaluateAll(run);
    const ranking = await rankArtifacts({ ...run, split: "select" });
    const best = join(run.path, runLayout.best);
    await mkdir(best);
    await writeFile(join(best, "mine"), "");
    await expect(writeRanking(run.path, ranking)).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    const { pick: _pick, ...withoutPick } = ranking;
    await expect(writeRanking(run.path, withoutPick)).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    expect(await readFile(join(best, "mine"), "utf8")).toBe("");
  });
});
