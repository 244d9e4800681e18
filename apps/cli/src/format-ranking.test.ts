import type { RankedCandidate, RankingManifest } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { describeRanking, formatRanking } from "./format-ranking.js";

const digest = "0".repeat(64);
const candidate = { artifact: { digest }, checkpoint: { digest }, evaluation: digest };
const ranking: RankingManifest = {
  kind: "ranking",
  schemaVersion: 1,
  split: { name: "select", role: "select", rowCount: 200, digest },
  metric: { name: "logLoss", mode: "min" },
  tieRules: ["earlier step"],
  candidates: [
    {
      ...candidate,
      id: "b",
      metrics: { accuracy: { value: 0.9 }, logLoss: { value: 0.25, interval: [0.2, 0.3] } },
      rank: 1,
      status: "best",
    },
    { ...candidate, id: "a", metrics: { logLoss: { value: 0.5 } }, rank: 2, status: "ranked" },
    { ...candidate, id: "c", metrics: {}, status: "failed", reason: "NaN in row 3" },
  ],
  pick: { id: "b", artifact: digest, decidedBy: "lower logLoss" },
};

describe("formatRanking", () => {
  it("is a table led by the metric that ranks, with its direction, and then the rule that decided", () => {
    expect(formatRanking(ranking)).toBe(
      [
        "rank  candidate  logLoss↓  95 % interval     accuracy  95 % interval  status",
        "   1  b            0.2500  [0.2000, 0.3000]    0.9000                 ★ best",
        "   2  a            0.5000                           -",
        "   -  c                 -                           -                 failed: NaN in row 3",
        "on split select, 200 rows; pick b, decided by lower logLoss",
        "",
      ].join("\n"),
    );
  });

  it("lists behind the others whom a race dropped, where, and what the race may have missed", () => {
    const [best] = ranking.candidates;
    if (best === undefined) throw new Error("no candidates");
    const dropped: RankedCandidate = {
      id: "d",
      artifact: { digest },
      checkpoint: { digest },
      metrics: {},
      status: "dropped",
      reason: "by the race at row 128 of 5000",
      dropped: { rowsSeen: 128, metric: { value: 0.75, interval: [0.5, 1] } },
    };
    const raced = { ...ranking, candidates: [best, dropped], race: { digest, delta: 0.05 } };
    expect(formatRanking(raced)).toBe(
      [
        "rank  candidate  logLoss↓  95 % interval     accuracy  95 % interval  status",
        "   1  b            0.2500  [0.2000, 0.3000]    0.9000                 ★ best",
        "   -  d            0.7500  [0.5000, 1.0000]         -                 dropped: by the race at row 128 of 5000",
        "on split select, 200 rows; pick b, decided by lower logLoss",
        "1 dropped by a race by logLoss, on part of the rows: the best of all is among them with a probability of at most " +
          "5 %; --no-race scores all",
        "",
      ].join("\n"),
    );
  });

  it("shows how far each is from the best, whether that is chance, and what costs differ", () => {
    const [best, second, failed] = ranking.candidates;
    if (best === undefined || second === undefined || failed === undefined) throw new Error("no candidates");
    const text = formatRanking({
      ...ranking,
      candidates: [
        { ...best, metrics: { logLoss: { value: 0.25 } }, measures: { bytes: 1500, p95: 2 } },
        {
          ...second,
          rank: 1,
          status: "tied",
          difference: { value: 0.25, interval: [-0.01, 0.5] },
          mcnemar: { onlyThis: 1, onlyPick: 4, exact: 0.375, midP: 0.21875 },
          measures: { bytes: 1500, p95: 3 },
        },
        failed,
      ],
    });
    expect(text).toBe(
      [
        "rank  candidate  logLoss↓  95 % interval  vs best  95 % interval      McNemar p   p95  status",
        "   1  b            0.2500                       -                             -  2 ms  ★ best",
        "  1=  a            0.5000                 +0.2500  [-0.0100, 0.5000]     0.3750  3 ms  ≈ tied",
        "   -  c                 -                       -                             -     -  failed: NaN in row 3",
        "on split select, 200 rows; pick b, tied with 1, decided by lower logLoss",
        "",
      ].join("\n"),
    );
  });

  it("has a word for every way to come out", () => {
    const [best, second, failed] = ranking.candidates;
    if (best === undefined || second === undefined || failed === undefined) throw new Error("no candidates");
    const text = formatRanking({
      ...ranking,
      candidates: [
        best,
        { ...second, rank: 1, status: "tied" },
        { ...second, rank: 3, status: "worse" },
        { ...failed, status: "excluded", reason: "p95<=5ms: it is 7 ms" },
      ],
    });
    const ends = text.split("\n").map((line) => line.split(/ {2,}/).at(-1));
    expect(ends.slice(1, 5)).toEqual(["★ best", "≈ tied", "▼ worse", "excluded: p95<=5ms: it is 7 ms"]);
  });

  it("points up where more is better, and says so where nothing could be ranked", () => {
    const { pick: _, ...rest } = ranking;
    const text = formatRanking({ ...rest, metric: { name: "accuracy", mode: "max" }, candidates: [] });
    expect(text).toBe(
      "rank  candidate  accuracy↑  95 % interval  status\non split select, 200 rows; no candidate could be ranked\n",
    );
  });
});

describe("describeRanking", () => {
  it("leaves out what the document around it has of its own", () => {
    const { kind: _kind, schemaVersion: _version, ...rest } = ranking;
    expect(describeRanking(ranking)).toEqual(rest);
  });
});
