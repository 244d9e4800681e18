import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { type FileEntry, fileEntriesSchema, sha256Schema } from "./file-entry.js";
import type { CheckpointParent } from "./layout.js";
import { type StoredMetrics, storedMetricsSchema } from "./metric.js";
import { type Signature, signatureSchema, type TensorSpec, tensorSpecSchema } from "./signature.js";

/** The file of a checkpoint folder that holds the values of its `probe`. */
export const probeFileName = "probe.bin";

/** `checkpoint.json`: a committed checkpoint of one step, trained or an average of others. Its digest is the checkpoint's identity. */
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
  /**
   * Rows of real data that a model frozen from this checkpoint is compared on: one tensor for each input of the model, in
   * its order, the rows first. Their values stand in {@link probeFileName}, little-endian, one after the other without gaps.
   */
  readonly probe?: readonly TensorSpec[];
  /** Of an average: the checkpoints it is the mean of, by step. Absent where it was trained. */
  readonly parents?: readonly CheckpointParent[];
  /** Of an average: what its batch-norm statistics were computed on. Absent where they are the parents' mean. */
  readonly batchNorm?: BatchNormSource;
  readonly files: readonly FileEntry[];
}

/** What decides recomputed batch-norm statistics, besides the weights. */
export interface BatchNormSource {
  /** Digest of the split. */
  readonly split: string;
  /** Rows of one forward pass. */
  readonly batchSize: number;
  /** Of dropout and what else is random in training mode. */
  readonly seed: number;
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
    probe: z.array(tensorSpecSchema).min(1).exactOptional(),
    parents: z
      .array(z.object({ step: z.int().nonnegative(), digest: sha256Schema }))
      .min(2)
      .exactOptional(),
    batchNorm: z.object({ split: sha256Schema, batchSize: z.int().positive(), seed: z.int() }).exactOptional(),
    files: fileEntriesSchema,
  }),
};
