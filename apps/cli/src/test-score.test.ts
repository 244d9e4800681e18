import type { RankingManifest } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { confidenceAfter, formatCorrected } from "./test-score.js";

const digest = "0".repeat(64);
const ranking: RankingManifest = {
  kind: "ranking",
  schemaVersion: 1,
  split: { name: "select", role: "select", rowCount: 200, digest },
  metric: { name: "mse", mode: "min" },
  tieRules: [],
  candidates: [
    {
      id: "a",
      artifact: { digest },
      checkpoint: { digest },
      evaluation: digest,
      metrics: { mse: { value: 0.25 } },
      rank: 1,
      status: "best",
    },
  ],
  pick: { id: "a", artifact: digest, decidedBy: "lower mse" },
  corrected: { value: 0.375, interval: [0.25, 0.5] },
};

describe("formatCorrected", () => {
  it("is called what it is, and counts as optimism what the pick looked better", () => {
    const figure = "no test split; estimated by bootstrap bias correction: mse 0.3750 [0.2500, 0.5000]";
    expect(formatCorrected(ranking)).toBe(`${figure}; selection optimism +0.1250\n`);
    expect(formatCorrected({ ...ranking, metric: { name: "mse", mode: "max" } })).toBe(
      `${figure}; selection optimism -0.1250\n`,
    );
    const { corrected: _, ...alone } = ranking;
    expect(formatCorrected(alone)).toBe("");
  });
});

describe("confidenceAfter", () => {
  it("divides the chance of an error among the reads", () => {
    expect([1, 2, 10].map(confidenceAfter)).toEqual([0.95, 0.975, 0.995]);
  });
});
