import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { type FileEntry, fileEntriesSchema, sha256Schema } from "./file-entry.js";
import { type QuantizeRule, quantizeRuleSchema } from "./quantize-rule.js";
import { type Signature, signatureSchema } from "./signature.js";

/** The frozen formats: TensorFlow.js GraphModel, TensorFlow GraphDef (`.pb`), SavedModel, ONNX, GraphDef as text. */
export const artifactFormats = ["graph-model", "graph-def", "saved-model", "onnx", "graph-def-text"] as const;
/** One of {@link artifactFormats}. */
export type ArtifactFormat = (typeof artifactFormats)[number];

/** What is frozen to when nothing else is asked for: all but the text, which is for people and several times as large. */
export const defaultArtifactFormats: readonly ArtifactFormat[] = ["graph-model", "graph-def", "saved-model", "onnx"];

/** Where each format stands in an artifact folder: the file or folder that its loaders are given. */
export const formatPaths: Readonly<Record<ArtifactFormat, string>> = {
  "graph-model": "graph-model/model.json",
  "graph-def": "frozen.pb",
  "saved-model": "saved-model",
  onnx: "model.onnx",
  "graph-def-text": "frozen.pbtxt",
};

/** What can be frozen: files, TensorFlow.js's and TensorFlow's, or a model or a function in memory. */
const artifactSourceKinds = [
  "checkpoint",
  "layers-model",
  "graph-model",
  "tensorflow-checkpoint",
  "saved-model",
  "live-model",
  "function",
] as const;

/** `artifact.json`: one checkpoint, frozen and verified. Its digest is the artifact's identity. */
export interface ArtifactManifest extends DocumentHeader<"artifact"> {
  readonly source: {
    readonly kind: (typeof artifactSourceKinds)[number];
    /**
     * The checkpoint's digest; of a model's files the SHA-256 over their digests; of what was in memory the SHA-256 over
     * the captured graph and the weights.
     */
    readonly digest: string;
    /** The checkpoint's step, as far as it is known. */
    readonly step?: number;
    /** Which signature of the SavedModel or of the graph was frozen; absent for `serving_default`. */
    readonly signatureKey?: string;
    /** True where variables have the values of their moving averages. */
    readonly isAveraged?: true;
  };
  /** Absent where the whole model was frozen. */
  readonly cut?: ArtifactCut;
  /** Placeholders of a TensorFlow graph that have a fixed value, as text. Absent where there are none. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly signature: Signature;
  /** Signatures of the SavedModel besides `serving_default`, by key. Absent where there are none. */
  readonly furtherSignatures?: Readonly<Record<string, Signature>>;
  readonly formats: readonly ArtifactFormat[];
  /** Largest absolute error accepted in `parity`, times the output's largest magnitude where that is above 1. */
  readonly tolerance: number;
  /** Set where the weights of the GraphModel are stored in fewer bits. */
  readonly quantization?: {
    /** As asked for; the last one that matches a weight's name says how it is stored. */
    readonly rules: readonly QuantizeRule[];
    /** What `tolerance` is for the other formats. */
    readonly tolerance: number;
  };
  /** Recurrences of no more steps stand in the graphs for TensorFlow step by step. Absent where nothing was asked for: 200. */
  readonly maxUnrolledSteps?: number;
  /** What was frozen, in figures: of the graph that every format is made of. */
  readonly graph?: {
    /** How often each operation is there, by TensorFlow's name; constants and inputs are left out. */
    readonly ops: Readonly<Record<string, number>>;
    /** Elements of all float32 constants. */
    readonly parameterCount: number;
    /** A multiply-add counts as 2. Not set where a size is open besides the batch, or an operation has no formula. */
    readonly flopsPerExample?: number;
  };
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
  /** Key of the signature; absent for the artifact's own. */
  readonly signature?: string;
  /** Batch sizes compared; none of them was used in the capture. */
  readonly batchSizes: readonly number[];
  /** Rows of the checkpoint's `probe` compared besides; absent where it has none. */
  readonly probeRows?: number;
  /** Largest |artifact - model| over all compared elements. */
  readonly maxAbsoluteError: number;
  /** Largest |artifact - model| / max(|model|, 1e-6) over all compared elements. */
  readonly maxRelativeError: number;
}

/** The files of one format: its file with what belongs to it (`model.onnx.data`), or all in its folder. */
export function listFormatFiles({ files }: ArtifactManifest, format: ArtifactFormat): readonly FileEntry[] {
  const [root = ""] = formatPaths[format].split("/", 1);
  return files.filter(({ path }) => path === root || path.startsWith(`${root}/`) || path.startsWith(`${root}.`));
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
      signatureKey: z.string().exactOptional(),
      isAveraged: z.literal(true).exactOptional(),
    }),
    cut: z
      .object({
        inputs: z.array(z.string()).min(1).exactOptional(),
        outputs: z.array(z.string()).min(1).exactOptional(),
      })
      .exactOptional(),
    pins: z.record(z.string(), z.string()).exactOptional(),
    signature: signatureSchema,
    furtherSignatures: z.record(z.string(), signatureSchema).exactOptional(),
    formats: z.array(z.enum(artifactFormats)).min(1),
    tolerance: error,
    quantization: z.object({ rules: z.array(quantizeRuleSchema).min(1), tolerance: error }).exactOptional(),
    maxUnrolledSteps: z.int().nonnegative().exactOptional(),
    graph: z
      .object({
        ops: z.record(z.string(), z.int().positive()),
        parameterCount: z.int().nonnegative(),
        flopsPerExample: z.number().nonnegative().exactOptional(),
      })
      .exactOptional(),
    parity: z.array(
      z.object({
        format: z.enum(artifactFormats),
        engine: z.string(),
        output: z.string(),
        signature: z.string().exactOptional(),
        batchSizes: z.array(z.int().positive()),
        probeRows: z.int().positive().exactOptional(),
        maxAbsoluteError: error,
        maxRelativeError: error,
      }),
    ),
    files: fileEntriesSchema,
  }),
};
