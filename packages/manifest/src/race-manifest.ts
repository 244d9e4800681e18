import { z } from "zod";

import { type ArtifactFormat, artifactFormats } from "./artifact-manifest.js";
import type { DocumentHeader, DocumentType } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import { type MetricEstimate, metricEstimateSchema } from "./metric-estimate.js";
import type { MetricMode } from "./metric.js";
import { type DataRecord, dataRecordSchema } from "./run-manifest.js";

/** What became of an artifact in a race. */
export interface RacedCandidate {
  readonly artifact: { readonly id: string; readonly digest: string; readonly format: ArtifactFormat };
  readonly engine: { readonly name: string; readonly version: string };
  /** Name of the scored output. */
  readonly output: string;
  readonly isDropped: boolean;
  /** Rows it was scored on: of a dropped one, those at the look that dropped it. */
  readonly rowsSeen: number;
  /**
   * The metric on these rows, with an interval that holds its value on all rows; the intervals of all candidates hold at
   * all looks together but for a probability of `delta`.
   */
  readonly metric: MetricEstimate;
}

/** `evaluations/races/<split>.<key>.json`: which artifacts a race dropped before they were scored on all rows. */
export interface RaceManifest extends DocumentHeader<"race"> {
  readonly split: DataRecord;
  readonly metric: { readonly name: string; readonly mode: MetricMode };
  /** How likely the best candidate may have been dropped, at most. */
  readonly delta: number;
  /** Rows seen whenever it was looked who has lost, ascending. */
  readonly looks: readonly number[];
  /** Ascending by the artifact's digest. */
  readonly candidates: readonly RacedCandidate[];
}

/** The name of a race's document: its own digest tells it from others on the same split. */
export function raceName(split: string, digest: string): string {
  return `${split}.${digest.slice(0, 12)}.json`;
}

/** Whether a name in the folder of races is one that {@link raceName} gives. */
export function isRaceName(name: string): boolean {
  return /^[^.].*\.[0-9a-f]{12}\.json$/.test(name);
}

/** How a race's document is named, checked and versioned. */
export const raceManifestType: DocumentType<RaceManifest> = {
  kind: "race",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("race"),
    schemaVersion: z.int().positive(),
    split: dataRecordSchema,
    metric: z.object({ name: z.string(), mode: z.enum(["min", "max"]) }),
    delta: z.number(),
    looks: z.array(z.int().positive()),
    candidates: z.array(
      z.object({
        artifact: z.object({ id: z.string().min(1), digest: sha256Schema, format: z.enum(artifactFormats) }),
        engine: z.object({ name: z.string(), version: z.string() }),
        output: z.string(),
        isDropped: z.boolean(),
        rowsSeen: z.int().nonnegative(),
        metric: metricEstimateSchema,
      }),
    ),
  }),
};
