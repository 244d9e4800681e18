import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { type FileEntry, fileEntriesSchema } from "./file-entry.js";
import { type StoredMetrics, storedMetricsSchema } from "./metric.js";
import { type Signature, signatureSchema } from "./signature.js";

/** `checkpoint.json`: a committed checkpoint of one step. Its digest is the checkpoint's identity. */
export interface CheckpointManifest extends DocumentHeader<"checkpoint"> {
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** As measured at this step, in the form on disk. */
  readonly metrics: StoredMetrics;
  /** Why it was saved: the save policy's own words. */
  readonly reason: string;
  readonly signature: Signature;
  readonly files: readonly FileEntry[];
}

/** How `checkpoint.json` is named, checked and versioned. */
export const checkpointManifestType: DocumentType<CheckpointManifest> = {
  kind: "checkpoint",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("checkpoint"),
    schemaVersion: z.int().positive(),
    step: z.int().nonnegative(),
    epoch: z.int().nonnegative(),
    metrics: storedMetricsSchema,
    reason: z.string(),
    signature: signatureSchema,
    files: fileEntriesSchema,
  }),
};
