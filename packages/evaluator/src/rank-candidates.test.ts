import { digestBytes, type RankedCandidate } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { type Candidate, rankCandidates } from "./rank-candidates.js";

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
});
