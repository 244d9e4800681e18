import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { type FileEntry, fileEntriesSchema, sha256Schema } from "./file-entry.js";
import { type Signature, signatureSchema } from "./signature.js";

/** The frozen formats: TensorFlow.js GraphModel, TensorFlow GraphDef (`.pb`), SavedModel, ONNX. */
export const artifactFormats = ["graph-model", "graph-def", "saved-model", "onnx"] as const;
/** One of {@link artifactFormats}. */
export type ArtifactFormat = (typeof artifactFormats)[number];

/** Where each format stands in an artifact folder: the file or folder that its loaders are given. */
export const formatPaths: Readonly<Record<ArtifactFormat, string>> = {
  "graph-model": "graph-model/model.json",
  "graph-def": "frozen.pb",
  "saved-model": "saved-model",
  onnx: "model.onnx",
};

/** What can be frozen: files, or a model or a function in memory. */
const artifactSourceKinds = ["checkpoint", "layers-model", "graph-model", "live-model", "function"] as const;

/** `artifact.json`: one checkpoint, frozen and verified. Its digest is the artifact's identity. */
export interface ArtifactManifest extends DocumentHeader<"artifact"> {
  readonly source: {
    readonly kind: (typeof artifactSourceKinds)[number];
    /**
     * The checkpoint's digest; of a model's files the SHA-256 over their digests; of what was in memory the SHA-256 over
     * the captured graph and the weights.
     */
    readonly digest: string;
    /** The checkpoint's step. */
    readonly step?: number;
  };
  /** Absent where the whole model was frozen. */
  readonly cut?: ArtifactCut;
  readonly signature: Signature;
  readonly formats: readonly ArtifactFormat[];
  /** Largest absolute error accepted in `parity`, times the output's largest magnitude where that is above 1. */
  readonly tolerance: number;
  readonly parity: readonly ParityRecord[];
  readonly files: readonly FileEntry[];
}

/** The piece of a model that was frozen. At least one of the two is there. */
export interface ArtifactCut {
  /** Layers or nodes whose values are the inputs. Absent where the model's own are. */
  readonly inputs?: readonly string[];
  /** Layers, nodes or outputs of the model whose values are the outputs. Absent where all of the model's own are. */
  readonly outputs?: readonly string[];
}

/** How far one output of one format is from the model it was frozen from. */
export interface ParityRecord {
  readonly format: ArtifactFormat;
  /** What ran the format: `tfjs`, `onnxruntime-node`, ... */
  readonly engine: string;
  readonly output: string;
  /** Batch sizes compared; none of them was used in the capture. */
  readonly batchSizes: readonly number[];
  /** Largest |artifact - model| over all compared elements. */
  readonly maxAbsoluteError: number;
  /** Largest |artifact - model| / max(|model|, 1e-6) over all compared elements. */
  readonly maxRelativeError: number;
}

const error = z.number().nonnegative();

/** How `artifact.json` is named, checked and versioned. */
export const artifactManifestType: DocumentType<ArtifactManifest> = {
  kind: "artifact",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("artifact"),
    schemaVersion: z.int().positive(),
    source: z.object({
      kind: z.enum(artifactSourceKinds),
      digest: sha256Schema,
      step: z.int().nonnegative().exactOptional(),
    }),
    cut: z
      .object({
        inputs: z.array(z.string()).min(1).exactOptional(),
        outputs: z.array(z.string()).min(1).exactOptional(),
      })
      .exactOptional(),
    signature: signatureSchema,
    formats: z.array(z.enum(artifactFormats)).min(1),
    tolerance: error,
    parity: z.array(
      z.object({
        format: z.enum(artifactFormats),
        engine: z.string(),
        output: z.string(),
        batchSizes: z.array(z.int().positive()),
        maxAbsoluteError: error,
        maxRelativeError: error,
      }),
    ),
    files: fileEntriesSchema,
  }),
};
