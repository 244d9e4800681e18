import { z } from "zod";

import { type ArtifactFormat, artifactFormats } from "./artifact-manifest.js";
import type { DocumentHeader, DocumentType } from "./document.js";
import { type FileEntry, fileEntriesSchema, sha256Schema } from "./file-entry.js";
import { type DataRecord, dataRecordSchema } from "./run-manifest.js";
import { type TensorSpec, tensorSpecSchema } from "./signature.js";

/** `evaluation.json`: the stored predictions of one artifact on one split by one engine. */
export interface EvaluationManifest extends DocumentHeader<"evaluation"> {
  readonly artifact: { readonly id: string; readonly digest: string; readonly format: ArtifactFormat };
  readonly split: DataRecord;
  readonly engine: { readonly name: string; readonly version: string };
  /** Class names by index; absent for regression. */
  readonly classes?: readonly string[];
  /** Spec of the predicted output as stored: `[rows, ...]`, float32 little-endian in `predictions.bin`. */
  readonly output: TensorSpec;
  /** Spec of the labels as stored in `labels.bin`: int32 class indices `[rows]` or float32 targets. */
  readonly labels: TensorSpec;
  readonly files: readonly FileEntry[];
}

/** How `evaluation.json` is named, checked and versioned. */
export const evaluationManifestType: DocumentType<EvaluationManifest> = {
  kind: "evaluation",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("evaluation"),
    schemaVersion: z.int().positive(),
    artifact: z.object({ id: z.string().min(1), digest: sha256Schema, format: z.enum(artifactFormats) }),
    split: dataRecordSchema,
    engine: z.object({ name: z.string(), version: z.string() }),
    classes: z.array(z.string()).exactOptional(),
    output: tensorSpecSchema,
    labels: tensorSpecSchema,
    files: fileEntriesSchema,
  }),
};
