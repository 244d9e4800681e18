import { join } from "node:path";

import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { type DataRecord, dataRecordSchema } from "./run-manifest.js";

/**
 * How the rows of a split count and which parts of them are looked at, beside the evaluations: metrics that are computed
 * from stored predictions later need it, and no data file. Values are base64 of little-endian arrays over the rows.
 */
export interface ScoringManifest extends DocumentHeader<"scoring"> {
  readonly split: DataRecord;
  /** The column that weighs rows; float64. */
  readonly weights?: { readonly column: string; readonly values: string };
  /** The column whose equal values belong together, numbered; int32. */
  readonly groups?: { readonly column: string; readonly values: string };
  /** Bit `row % 8` of byte `row / 8` says whether the row is in the slice. */
  readonly slices?: readonly { readonly name: string; readonly rows: string }[];
}

const columnSchema = z.object({ column: z.string(), values: z.string() });

/** How the document is named, checked and versioned. */
export const scoringManifestType: DocumentType<ScoringManifest> = {
  kind: "scoring",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("scoring"),
    schemaVersion: z.int().positive(),
    split: dataRecordSchema,
    weights: columnSchema.exactOptional(),
    groups: columnSchema.exactOptional(),
    slices: z.array(z.object({ name: z.string(), rows: z.string() })).exactOptional(),
  }),
};

/** Where it stands for a split; as the name begins with a dot, no reader takes it for an evaluation. */
export function scoringPath(evaluations: string, splitDigest: string): string {
  return join(evaluations, `.scoring-${splitDigest.slice(0, 16)}.json`);
}

/** Whether a name in the folder of evaluations is one that {@link scoringPath} gives. */
export function isScoringName(name: string): boolean {
  return /^\.scoring-[0-9a-f]{16}\.json$/.test(name);
}
