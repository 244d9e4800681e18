import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { digestBytes, runLayout } from "@ckpt/manifest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { computeMetrics } from "../src/compute-metrics.js";
import { evaluateArtifact } from "../src/evaluate-artifact.js";
import { judgeArtifact, type JudgedGate } from "../src/gate/judge-artifact.js";
import { joinVerdicts } from "../src/gate/judgement.js";
import { parseRequirement } from "../src/gate/requirement.js";
import { sliceByColumn } from "../src/metrics/slices.js";
import { createRandom } from "../src/statistics/random.js";
import { makeArtifact } from "./make-artifact.js";
import { makeClassSplit } from "./make-split.js";

const rowCount = 400;
let folder: string;
let good: string;
let bad: string;
let evaluations: string;
let evaluation: string;
let labels: Int32Array;

/** Nine of ten labels are what the good artifact predicts. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-gate-"));
  evaluations = join(folder, runLayout.evaluations);
  const parent = join(folder, runLayout.artifacts);
  bad = await makeArtifact(parent, "step-00000001", 1);
  good = await makeArtifact(parent, "step-00000002", 2);
  const blank = makeClassSplit(rowCount);
  const oracle = await evaluateArtifact({ artifact: good, split: blank, evaluations: join(folder, "oracle") });
  const predictions = new Float32Array(Uint8Array.from(await readFile(join(oracle.path, "predictions.bin"))).buffer);
  const random = createRandom(3);
  labels = Int32Array.from({ length: rowCount }, (_, row) => {
    const scores = predictions.subarray(row * 3, row * 3 + 3);
    const predicted = scores.indexOf(Math.max(...scores));
    return random() < 0.9 ? predicted : (predicted + 1) % 3;
  });
  const split = makeClassSplit(rowCount, { name: "test", role: "test", digest: digestBytes("gate") });
  (split.labels as Int32Array).set(labels);
  for (const artifact of [bad, good]) {
    evaluation = (await evaluateArtifact({ artifact, split, evaluations })).path;
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function judge(artifact: string, ...texts: readonly string[]): Promise<JudgedGate> {
  return judgeArtifact({ artifact, evaluations, split: "test", requirements: texts.map(parseRequirement) });
}

async function verdictOf(text: string): Promise<string> {
  const { verdict, judgements } = await judge(good, text);
  expect(judgements).toMatchObject([{ text, verdict }]);
  return verdict;
}

describe("a requirement", () => {
  it("passes by the bound of the interval on its own side, not by the value", async () => {
    const { judgements } = await judge(good, "accuracy>=0.5");
    const { value = 0, interval: [low, high] = [0, 1] } = judgements[0]?.found ?? {};
    expect(judgements[0]?.verdict).toBe("pass");
    expect(await verdictOf(`accuracy>=${low}`)).toBe("pass");
    expect(await verdictOf(`accuracy>${low}`)).toBe("inconclusive");
    expect(await verdictOf(`accuracy>=${value}`)).toBe("inconclusive");
    expect(await verdictOf(`accuracy>=${high + 1e-9}`)).toBe("fail");
    expect(await verdictOf(`accuracy<=${high}`)).toBe("pass");
    expect(await verdictOf(`hammingLoss<=${1 - value}`)).toBe("inconclusive");
    expect(await verdictOf("logLoss<=15")).toBe("pass");
  });

  it("that is not decided says how many rows would, and of a part how many of all rows", async () => {
    const [whole] = (await judge(good, "accuracy>=0.88")).judgements;
    expect(whole?.verdict).toBe("inconclusive");
    expect(whole?.moreRows).toBeGreaterThan(rowCount);
    const { found } = (await judge(good, "recall[class=b]>=0.5")).judgements[0] ?? {};
    const near = ((found?.value ?? 0) + (found?.interval?.[0] ?? 0)) / 2;
    const [part] = (await judge(good, `recall[class=b]>=${near}`)).judgements;
    expect(part?.verdict).toBe("inconclusive");
    expect(part?.moreRows).toBeGreaterThan(rowCount);
  });

  it("counts the rows that would decide by the confidence of its own intervals", async () => {
    const options = { artifact: good, evaluations, split: "test", confidence: 0.99 };
    const [{ found } = {}] = (await judgeArtifact({ ...options, requirements: [parseRequirement("accuracy>=0")] }))
      .judgements;
    const { value = NaN, interval: [low] = [NaN] } = found ?? {};
    const requirements = [parseRequirement(`accuracy>=${low}`), parseRequirement(`accuracy>${low}`)];
    const lead = (await judgeAgainst(good, bad, "superior", 0)).judgements[0]?.found?.value ?? 0;
    const champion = { artifact: bad, evaluations, mode: "superior", margin: lead - 0.01 } as const;
    const { judgements } = await judgeArtifact({ ...options, requirements, champion });
    expect(judgements.map(({ verdict }) => verdict)).toEqual(["pass", "inconclusive", "inconclusive"]);
    // 80 % of power takes (2.576 + 0.842) / 2.576 times the distance at 99 %: its square in rows.
    expect(((judgements[1]?.moreRows ?? NaN) + rowCount) / rowCount).toBeCloseTo(1.7601, 2);
    const { interval: [from] = [NaN] } = judgements[2]?.found ?? {};
    const distance = (((lead - from) / 0.01) * (2.5758 + 0.8416)) / 2.5758;
    expect(((judgements[2]?.moreRows ?? NaN) + rowCount) / rowCount / distance ** 2).toBeCloseTo(1, 2);
    expect(value).toBeGreaterThan(low);
  });

  it("on a cost is decided by the figure alone", async () => {
    expect(await verdictOf("bytes<=2MB")).toBe("pass");
    expect(await verdictOf("bytes<=100B")).toBe("fail");
    const [latency] = (await judge(good, "p95<=5ms")).judgements;
    expect(latency).toMatchObject({ verdict: "fail", reason: "there is no p95" });
    const measured = await judgeArtifact({
      artifact: good,
      evaluations,
      split: "test",
      requirements: [parseRequirement("p95<=5ms")],
      measures: { p95: 4 },
    });
    expect(measured.verdict).toBe("pass");
  });

  it("is of the worst class or slice where that is asked for", async () => {
    const all = await computeMetrics(evaluation, ["accuracy"], {
      slices: [
        ...sliceByColumn(
          "half",
          Array.from(labels, (_, row) => row % 2),
        ),
        { name: "none", includes: () => false },
      ],
    });
    const recalls = (all.perClass ?? []).map(({ recall }) => recall.value);
    const { judgements } = await judge(
      good,
      "recall[worst class]>=0",
      "accuracy[worst slice]>=0",
      "accuracy[slice=half=1]>=0",
    );
    expect(judgements[0]?.found?.value).toBe(Math.min(...recalls));
    const slices = (all.slices ?? []).slice(0, 2).map(({ metrics }) => metrics["accuracy"]?.value ?? 1);
    expect(judgements[1]?.found?.value).toBe(Math.min(...slices));
    expect(judgements[2]?.found?.value).toBe(slices[1]);
  });

  it("fails on what is missing", async () => {
    await computeMetrics(evaluation, ["accuracy"], { slices: [{ name: "none", includes: () => false }] });
    const { judgements, verdict } = await judge(
      good,
      "accuracy[slice=none]>=0",
      "accuracy[slice=other]>=0",
      "recall[class=d]>=0",
      "logLoss[class=a]>=0",
    );
    expect(verdict).toBe("fail");
    expect(judgements.map(({ reason }) => reason)).toEqual([
      "slice none is empty",
      "there is no slice other",
      "there is no class d",
      "logLoss is not given by class, but precision, recall, specificity and f1 are",
    ]);
    expect(judgements.map((judgement) => judgement.verdict)).toEqual(["fail", "fail", "fail", "fail"]);
    await expect(judge(good, "acuracy>=0")).rejects.toMatchObject({ code: "METRIC_NOT_FOUND" });
    await expect(judge(good)).rejects.toMatchObject({ code: "INVALID_OPTION" });
    const options = { artifact: good, evaluations, requirements: [] };
    await expect(judgeArtifact({ ...options, split: "select", minRows: 1 })).rejects.toMatchObject({
      code: "EVALUATION_NOT_FOUND",
    });
    const few = await judgeArtifact({ ...options, split: "test", minRows: rowCount + 1 });
    expect(few.judgements).toMatchObject([{ text: "rows>=401", verdict: "fail", reason: "there are 400" }]);
    expect((await judgeArtifact({ ...options, split: "test", minRows: rowCount })).verdict).toBe("pass");
  });

  it("that cannot be read is refused", () => {
    const partless = ["bytes[slice=nowhere]<=2MB", "p95 [worst class]<=5ms"];
    for (const text of ["accuracy", "accuracy>=", "accuracy[night]>=0.5", "p95<=5MB", ...partless]) {
      expect(() => parseRequirement(text)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    }
    expect(parseRequirement("recall [class=a cat] >= 90%")).toMatchObject({
      measure: "recall",
      limit: 0.9,
      part: { kind: "class", name: "a cat" },
    });
  });
});

function judgeAgainst(
  artifact: string,
  champion: string,
  mode: "non-inferior" | "superior",
  margin: number,
): Promise<JudgedGate> {
  const rule = { artifact: champion, evaluations, mode, margin };
  return judgeArtifact({ artifact, evaluations, split: "test", requirements: [], champion: rule });
}

describe("a champion", () => {
  it("is beaten, matched or not, by the interval of the difference on the same rows", async () => {
    expect((await judgeAgainst(good, bad, "superior", 0)).verdict).toBe("pass");
    expect((await judgeAgainst(bad, good, "superior", 0)).verdict).toBe("fail");
    expect((await judgeAgainst(bad, good, "non-inferior", 0.01)).verdict).toBe("fail");
    expect((await judgeAgainst(good, good, "non-inferior", 0.01)).verdict).toBe("pass");
    expect((await judgeAgainst(good, good, "non-inferior", 0)).verdict).toBe("pass");
    expect((await judgeAgainst(good, good, "superior", 0)).verdict).toBe("fail");
    const lead = (await judgeAgainst(good, bad, "superior", 0)).judgements[0]?.found?.value ?? 0;
    const near = await judgeAgainst(good, bad, "superior", lead - 0.001);
    expect(near.judgements[0]?.verdict).toBe("inconclusive");
    expect(near.judgements[0]?.moreRows).toBeGreaterThan(0);
  });

  it("is matched by less of a loss", async () => {
    const rule = { artifact: bad, evaluations, mode: "superior", margin: 0.01, metric: "logLoss" } as const;
    const gate = { artifact: good, evaluations, split: "test", requirements: [] };
    const { judgements } = await judgeArtifact({ ...gate, champion: rule });
    expect(judgements[0]).toMatchObject({ verdict: "pass", text: "logLoss superior to the champion, margin 0.01" });
    expect(judgements[0]?.found?.value).toBeLessThan(0);
  });
});

describe("joinVerdicts", () => {
  it("fails when one fails or nothing was asked", () => {
    const [pass, fail, open] = (["pass", "fail", "inconclusive"] as const).map((verdict) => ({ text: "", verdict }));
    expect(joinVerdicts([])).toBe("fail");
    expect(joinVerdicts([pass!])).toBe("pass");
    expect(joinVerdicts([pass!, open!])).toBe("inconclusive");
    expect(joinVerdicts([open!, fail!, pass!])).toBe("fail");
  });
});
