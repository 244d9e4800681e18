import { digestBytes, type RankedCandidate } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { meanOf, simulateLosses } from "../test/simulate-candidates.js";
import type { Candidate } from "./candidate.js";
import { parseConstraint } from "./constraint.js";
import { rankCandidates } from "./rank-candidates.js";
import { resampleMeans } from "./statistics/candidate-replicates.js";

const byAccuracy = { metric: "accuracy", mode: "max" } as const;

function makeCandidate(id: string, accuracy: number, logLoss?: number, step?: number): Candidate {
  return {
    id,
    artifact: { digest: digestBytes(id) },
    checkpoint: { digest: digestBytes(`checkpoint ${id}`), ...(step === undefined ? {} : { step }) },
    metrics: { accuracy: { value: accuracy }, ...(logLoss === undefined ? {} : { logLoss: { value: logLoss } }) },
    evaluation: digestBytes(`evaluation ${id}`),
  };
}

function measured(id: string, accuracy: number, measures: Record<string, number>, ece?: number): Candidate {
  const candidate = makeCandidate(id, accuracy, 0.1, 1);
  const metrics = { ...candidate.metrics, ...(ece === undefined ? {} : { ece: { value: ece } }) };
  return { ...candidate, metrics, measures };
}

const ids = (candidates: readonly RankedCandidate[]): string[] => candidates.map((candidate) => candidate.id);

/** Id and rule of the pick, which must not depend on the order of the candidates. */
function pickOf(a: Candidate, b: Candidate): [string | undefined, string | undefined] {
  const { pick } = rankCandidates([a, b], byAccuracy);
  expect(rankCandidates([b, a], byAccuracy).pick).toEqual(pick);
  return [pick?.id, pick?.decidedBy];
}

describe("rankCandidates", () => {
  it("puts the higher value first for max and the lower for min", () => {
    const candidates = [makeCandidate("a", 0.8, 0.1), makeCandidate("b", 0.9, 0.3), makeCandidate("c", 0.7, 0.2)];
    const byMax = rankCandidates(candidates, byAccuracy);
    expect(ids(byMax.candidates)).toEqual(["b", "a", "c"]);
    expect(byMax.candidates.map(({ rank, status }) => [rank, status])).toEqual([
      [1, "best"],
      [2, "ranked"],
      [3, "ranked"],
    ]);
    expect(byMax.pick).toEqual({ id: "b", artifact: digestBytes("b"), decidedBy: "higher accuracy" });
    const byMin = rankCandidates(candidates, { metric: "logLoss", mode: "min" });
    expect(ids(byMin.candidates)).toEqual(["a", "c", "b"]);
    expect(byMin.pick?.decidedBy).toBe("lower logLoss");
    expect(byMin.tieRules).toEqual(["earlier step", "smaller artifact digest"]);
  });

  it("breaks ties by lower logLoss, then the earlier step, then the digest, and says which decided", () => {
    expect(pickOf(makeCandidate("a", 0.9, 0.3, 1), makeCandidate("b", 0.9, 0.2, 2))).toEqual(["b", "lower logLoss"]);
    expect(pickOf(makeCandidate("a", 0.9, 0.2, 3), makeCandidate("b", 0.9, 0.2, 2))).toEqual(["b", "earlier step"]);
    expect(pickOf(makeCandidate("a", 0.9, 0.2), makeCandidate("b", 0.9, 0.2, 2))).toEqual(["b", "earlier step"]);
    const [low, high] = ["a", "b"].toSorted((a, b) => (digestBytes(a) < digestBytes(b) ? -1 : 1));
    expect(pickOf(makeCandidate(high ?? "", 0.9, 0.2, 2), makeCandidate(low ?? "", 0.9, 0.2, 2))).toEqual([
      low,
      "smaller artifact digest",
    ]);
  });

  it("leaves the rule of logLoss out unless every ranked candidate has one", () => {
    const ranked = rankCandidates([makeCandidate("a", 0.9, 0.1, 2), makeCandidate("b", 0.9, undefined, 1)], byAccuracy);
    expect(ranked.tieRules).toEqual(["earlier step", "smaller artifact digest"]);
    expect(ranked.pick?.id).toBe("b");
  });

  it("never ranks a candidate that failed, lacks the metric or has no finite value of it", () => {
    const failed = { ...makeCandidate("a", 1, 0, 3), failure: "output y is NaN in row 0, column 0" };
    const ranked = rankCandidates(
      [failed, makeCandidate("b", NaN, 0, 2), { ...makeCandidate("c", 1, 0, 1), metrics: {} }, makeCandidate("d", 0.1)],
      byAccuracy,
    );
    expect(ranked.candidates.map(({ id, rank, status, reason }) => [id, rank, status, reason])).toEqual([
      ["d", 1, "best", undefined],
      ["c", undefined, "failed", "no accuracy"],
      ["b", undefined, "failed", "accuracy is NaN"],
      ["a", undefined, "failed", "output y is NaN in row 0, column 0"],
    ]);
    expect(ranked.pick?.decidedBy).toBe("only candidate");
  });

  it("has no pick when all failed", () => {
    const ranked = rankCandidates([{ ...makeCandidate("a", 1), failure: "no" }], byAccuracy);
    expect(ranked.pick).toBeUndefined();
    expect(ranked.candidates[0]?.status).toBe("failed");
  });

  it("says why a metric has no value", () => {
    const candidate = { ...makeCandidate("a", 1), metrics: {}, notDefined: { accuracy: "there are no rows" } };
    expect(rankCandidates([candidate], byAccuracy).candidates[0]?.reason).toBe("no accuracy: there are no rows");
  });

  it("leaves out who breaks a constraint or lacks the measure, whatever its metric", () => {
    const ranked = rankCandidates(
      [
        measured("slow", 0.99, { p95: 7, bytes: 1e6 }),
        measured("large", 0.98, { p95: 4, bytes: 3e6 }),
        measured("unknown", 0.97, { bytes: 1e6 }),
        measured("good", 0.9, { p95: 5, bytes: 2e6 }),
        measured("weak", 0.5, { p95: 1, bytes: 1 }),
      ],
      { ...byAccuracy, constraints: ["p95 <= 5ms", "bytes<=2MB", "accuracy>60%"].map(parseConstraint) },
    );
    expect(ranked.constraints).toEqual(["p95<=5ms", "bytes<=2MB", "accuracy>60%"]);
    expect(ranked.pick).toMatchObject({ id: "good", decidedBy: "only candidate" });
    expect(ranked.candidates.map(({ id, rank, status, reason }) => [id, rank, status, reason])).toEqual([
      ["good", 1, "best", undefined],
      ["slow", undefined, "excluded", "p95<=5ms: it is 7 ms"],
      ["large", undefined, "excluded", "bytes<=2MB: it is 3000000 bytes"],
      ["unknown", undefined, "excluded", "p95<=5ms: there is no p95"],
      ["weak", undefined, "excluded", "accuracy>60%: it is 0.5"],
    ]);
  });

  it("breaks ties by calibration and cost too, where all have them, and marks the Pareto front", () => {
    const ranked = rankCandidates(
      [
        measured("a", 0.9, { p95: 1, bytes: 9 }, 0.01),
        measured("b", 0.9, { p95: 2, bytes: 8 }, 0.01),
        measured("c", 0.9, { p95: 3, bytes: 1 }, 0.02),
        measured("d", 0.8, { p95: 1, bytes: 9 }, 0.01),
      ],
      byAccuracy,
    );
    expect(ranked.tieRules).toEqual([
      "lower logLoss",
      "lower ece",
      "lower bytes",
      "lower p95",
      "earlier step",
      "smaller artifact digest",
    ]);
    expect(ids(ranked.candidates)).toEqual(["b", "a", "c", "d"]);
    expect(ranked.pick?.decidedBy).toBe("lower bytes");
    expect(ranked.candidates.map(({ isPareto }) => isPareto)).toEqual([true, true, true, false]);
  });

  describe("with resamples", () => {
    const accuracies = [0.9, 0.897, 0.8, 0.899];
    const losses = simulateLosses(accuracies, 1000, 3);
    const hits = losses.map((own) => own.map((loss) => 1 - loss));
    const resampled = resampleMeans(hits, { rowCount: 1000 }, { replicateCount: 500 });
    const candidates = hits.map((own, index) =>
      makeCandidate(`c${index}`, meanOf(own), [0.3, 0.2, 0.1, 0.25][index], index),
    );

    it("lets the tie rules decide among those that may be the best", () => {
      const ranked = rankCandidates(candidates, { ...byAccuracy, resampled });
      expect(ranked.candidates.map(({ id, rank, status }) => [id, rank, status])).toEqual([
        ["c1", 1, "best"],
        ["c3", 1, "tied"],
        ["c0", 1, "tied"],
        ["c2", 4, "worse"],
      ]);
      expect(ranked.pick).toMatchObject({ id: "c1", decidedBy: "lower logLoss" });
      const worse = ranked.candidates[3]?.difference;
      expect(worse?.value).toBeCloseTo(meanOf(hits[2] ?? []) - meanOf(hits[1] ?? []), 12);
      expect(worse?.interval?.[1]).toBeLessThan(0);
      const tied = ranked.candidates[1]?.difference?.interval;
      expect(tied?.[0]).toBeLessThanOrEqual(0);
      expect(tied?.[1]).toBeGreaterThanOrEqual(0);
      expect(ranked.candidates[0]?.difference).toBeUndefined();
    });

    it("does not ask who failed or is excluded", () => {
      const failed = candidates.with(1, { ...makeCandidate("c1", 0.9, 0.2, 1), failure: "NaN" });
      const ranked = rankCandidates(failed, {
        ...byAccuracy,
        resampled,
        constraints: [parseConstraint("logLoss<0.28")],
      });
      expect(ranked.candidates.map(({ id, status }) => [id, status])).toEqual([
        ["c3", "best"],
        ["c2", "worse"],
        ["c0", "excluded"],
        ["c1", "failed"],
      ]);
      expect(ranked.pick?.decidedBy).toBe("higher accuracy");
    });
  });
});

describe("parseConstraint", () => {
  it.each([
    ["p95<=5ms", 5, "ms"],
    ["p99 < 0.2 s", 200, "ms"],
    ["load<=800", 800, "ms"],
    ["bytes<=2MB", 2e6, "bytes"],
    ["rss <= 1.5GiB", 1.5 * 2 ** 30, "bytes"],
    ["accuracy>=99.5%", 0.995, "none"],
    ["topKAccuracy@3>.9", 0.9, "none"],
    ["r2>=-1e-2", -0.01, "none"],
    ["constructor<=50%", 0.5, "none"],
  ])("reads %s", (text, limit, unit) => {
    const found = parseConstraint(text);
    expect(found.limit).toBeCloseTo(limit, 12);
    expect(found.unit).toBe(unit);
  });

  it.each([
    "p95",
    "p95=5ms",
    "p95<=ms",
    "p95<=5MB",
    "bytes<=2ms",
    "accuracy>=5ms",
    "p95<=5parsecs",
    "<=5",
    "bytes<=50%",
    "p95<=5constructor",
    "p95<=5toString",
  ])("refuses %s", (text) => {
    expect(() => parseConstraint(text)).toThrow(/constraint/);
  });
});
