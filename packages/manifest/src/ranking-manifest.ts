import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import { type MetricEstimate, metricEstimateSchema } from "./metric-estimate.js";
import type { MetricMode } from "./metric.js";
import { type SliceEstimates, sliceEstimatesSchema } from "./metrics-manifest.js";
import { type DataRecord, dataRecordSchema } from "./run-manifest.js";

/**
 * How a candidate came out: the pick; as likely the best as that; worse; ranked where that was not asked; excluded by a
 * constraint; failed, with a value that is not finite; or dropped by a race, which did not score it on all rows. The last
 * three have no rank.
 */
export type CandidateStatus = "best" | "tied" | "worse" | "ranked" | "excluded" | "failed" | "dropped";

const candidateStatuses = [
  "best",
  "tied",
  "worse",
  "ranked",
  "excluded",
  "failed",
  "dropped",
] as const satisfies CandidateStatus[];

/** One artifact in a ranking. */
export interface RankedCandidate {
  /** The artifact's folder name. */
  readonly id: string;
  readonly artifact: { readonly digest: string };
  readonly checkpoint: { readonly digest: string; readonly step?: number };
  readonly metrics: Readonly<Record<string, MetricEstimate>>;
  /** Parts of the rows, where there are some. */
  readonly slices?: readonly SliceEstimates[];
  /** By metric: the slice that is worst, of those with rows enough. */
  readonly worstSlices?: Readonly<Record<string, string>>;
  /** Digest of the evaluation the metrics were computed from; absent for a dropped candidate. */
  readonly evaluation?: string;
  /** What it costs, by name: `p50`, `p95`, `p99` and `load` in milliseconds, `bytes` and `rss` in bytes. */
  readonly measures?: Readonly<Record<string, number>>;
  /** Its primary metric less the pick's, on the same rows. */
  readonly difference?: MetricEstimate;
  /** McNemar's test against the pick: the rows that just one of the two has right, and its p-values. */
  readonly mcnemar?: {
    readonly onlyThis: number;
    readonly onlyPick: number;
    readonly exact: number;
    readonly midP: number;
  };
  /** Whether no other is at least as good in metric and measures, and better in one; absent without measures. */
  readonly isPareto?: boolean;
  /** From 1, which all that are tied share; absent for an excluded, failed or dropped candidate. */
  readonly rank?: number;
  readonly status: CandidateStatus;
  /** Why a candidate failed, was excluded, or was dropped. */
  readonly reason?: string;
  /** Of a dropped candidate: the rows it was scored on, and the primary metric on these, as in the race's document. */
  readonly dropped?: { readonly rowsSeen: number; readonly metric: MetricEstimate };
}

/** `ranking.json`: the candidates, best first, with the rule that ordered them. */
export interface RankingManifest extends DocumentHeader<"ranking"> {
  readonly split: DataRecord;
  readonly metric: { readonly name: string; readonly mode: MetricMode };
  /** The column that weighs rows. */
  readonly weights?: string;
  /** The column whose equal values belong together. */
  readonly groupBy?: string;
  /** Coverage of the intervals, where that is not 95 %. */
  readonly confidence?: number;
  /** In words, in the order they are applied. */
  readonly tieRules: readonly string[];
  /** What candidates had to keep to, such as `p95<=5ms`. */
  readonly constraints?: readonly string[];
  readonly candidates: readonly RankedCandidate[];
  /** The best candidate and the rule that decided between it and the second, tied ones included. */
  readonly pick?: { readonly id: string; readonly artifact: string; readonly decidedBy: string };
  /**
   * What the best of the ranked candidates is worth on rows that nothing was chosen on, estimated without such rows: the
   * bootstrap-bias-corrected value of the primary metric.
   */
  readonly corrected?: MetricEstimate;
  /**
   * The race that dropped candidates: the digest of its document, and how likely the best of all is among those it
   * dropped, at most. Intervals, tied candidates and `corrected` are of those that it left.
   */
  readonly race?: { readonly digest: string; readonly delta: number };
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
    weights: z.string().exactOptional(),
    groupBy: z.string().exactOptional(),
    confidence: z.number().exactOptional(),
    tieRules: z.array(z.string()),
    constraints: z.array(z.string()).exactOptional(),
    candidates: z.array(
      z.object({
        id: z.string().min(1),
        artifact: z.object({ digest: sha256Schema }),
        checkpoint: z.object({ digest: sha256Schema, step: z.int().nonnegative().exactOptional() }),
        metrics: z.record(z.string(), metricEstimateSchema),
        slices: sliceEstimatesSchema.exactOptional(),
        worstSlices: z.record(z.string(), z.string()).exactOptional(),
        evaluation: sha256Schema.exactOptional(),
        measures: z.record(z.string(), z.number()).exactOptional(),
        difference: metricEstimateSchema.exactOptional(),
        mcnemar: z
          .object({
            onlyThis: z.int().nonnegative(),
            onlyPick: z.int().nonnegative(),
            exact: z.number(),
            midP: z.number(),
          })
          .exactOptional(),
        isPareto: z.boolean().exactOptional(),
        rank: z.int().positive().exactOptional(),
        status: z.enum(candidateStatuses),
        reason: z.string().exactOptional(),
        dropped: z.object({ rowsSeen: z.int().nonnegative(), metric: metricEstimateSchema }).exactOptional(),
      }),
    ),
    pick: z.object({ id: z.string(), artifact: sha256Schema, decidedBy: z.string() }).exactOptional(),
    corrected: metricEstimateSchema.exactOptional(),
    race: z.object({ digest: sha256Schema, delta: z.number() }).exactOptional(),
  }),
};
