import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import { type MetricEstimate, metricEstimateSchema } from "./metric-estimate.js";
import type { MetricMode } from "./metric.js";
import { type DataRecord, dataRecordSchema } from "./run-manifest.js";

/** Whether a candidate was ranked; one with a value that is not finite is failed and has no rank. */
export type CandidateStatus = "best" | "ranked" | "failed";

/** One artifact in a ranking. */
export interface RankedCandidate {
  /** The artifact's folder name. */
  readonly id: string;
  readonly artifact: { readonly digest: string };
  readonly checkpoint: { readonly digest: string; readonly step?: number };
  readonly metrics: Readonly<Record<string, MetricEstimate>>;
  /** Digest of the evaluation the metrics were computed from. */
  readonly evaluation: string;
  /** From 1; absent for a failed candidate. */
  readonly rank?: number;
  readonly status: CandidateStatus;
  /** Why a candidate failed. */
  readonly reason?: string;
}

/** `ranking.json`: the candidates, best first, with the rule that ordered them. */
export interface RankingManifest extends DocumentHeader<"ranking"> {
  readonly split: DataRecord;
  readonly metric: { readonly name: string; readonly mode: MetricMode };
  /** In words, in the order they are applied. */
  readonly tieRules: readonly string[];
  readonly candidates: readonly RankedCandidate[];
  /** The best candidate and the rule that decided between it and the second. */
  readonly pick?: { readonly id: string; readonly artifact: string; readonly decidedBy: string };
}

/** How `ranking.json` is named, checked and versioned. */
export const rankingManifestType: DocumentType<RankingManifest> = {
  kind: "ranking",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("ranking"),
    schemaVersion: z.int().positive(),
    split: dataRecordSchema,
    metric: z.object({ name: z.string(), mode: z.enum(["min", "max"]) }),
    tieRules: z.array(z.string()),
    candidates: z.array(
      z.object({
        id: z.string().min(1),
        artifact: z.object({ digest: sha256Schema }),
        checkpoint: z.object({ digest: sha256Schema, step: z.int().nonnegative().exactOptional() }),
        metrics: z.record(z.string(), metricEstimateSchema),
        evaluation: sha256Schema,
        rank: z.int().positive().exactOptional(),
        status: z.enum(["best", "ranked", "failed"]),
        reason: z.string().exactOptional(),
      }),
    ),
    pick: z.object({ id: z.string(), artifact: sha256Schema, decidedBy: z.string() }).exactOptional(),
  }),
};
