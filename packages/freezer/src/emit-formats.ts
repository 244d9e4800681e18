import { createRequire } from "node:module";

import {
  bindSignature,
  emitGraphDef,
  type EmitGraphDefOptions,
  emitGraphModel,
  emitOnnxFiles,
  type Graph,
  type GraphModel,
  servingSignatureKey,
  splitGraphDef,
  splitGraphDefText,
  splitSavedModel,
} from "@ckpt/graph";
import { type ArtifactFormat, CkptError, formatPaths, isCkptError, type QuantizeRule } from "@ckpt/manifest";

import { type FormatChoice, toGraphDefOptions } from "./choose-formats.js";
import type { SavedModelContent } from "./saved-model-signatures.js";

/** The one file of a SavedModel whose variables are frozen. */
export const savedModelFile = "saved_model.pb";

/** Beside `model.onnx`: the weights of a model of more than 2 GiB. */
const onnxDataFile = "model.onnx.data";

/** Size at which weight files of a GraphModel are cut, so that browsers can cache them one by one: 4 MiB. */
const shardSizeBytes = 4 * 1024 * 1024;

/** A file of an artifact: path relative to the artifact's folder, and its content, which may be in parts. */
export interface EmittedFile {
  readonly path: string;
  readonly data: Uint8Array | string | readonly Uint8Array[];
}

/**
 * Emits a graph in each of the formats, one after the other as the files are asked for: what has been written need not
 * stay in memory. Equal graphs give equal bytes.
 *
 * @param sourceDigest - Written into the ONNX model's metadata as `ckpt.source`.
 * @param savedModel - What the SavedModel holds, where it has several signatures.
 * @throws {CkptError} UNSUPPORTED_OP after the last file, listing everything that any of the formats cannot express.
 */
export function* emitFormats(
  graph: Graph,
  choice: FormatChoice,
  sourceDigest: string,
  savedModel?: SavedModelContent,
): Generator<EmittedFile, void> {
  const { formats, quantization } = choice;
  const options = { quantize: quantization?.rules ?? [], loops: toGraphDefOptions(choice), sourceDigest, savedModel };
  const refusals: CkptError<"UNSUPPORTED_OP">[] = [];
  for (const format of formats) {
    try {
      yield* emitters[format](graph, formatPaths[format], options);
    } catch (error) {
      if (!isCkptError(error, "UNSUPPORTED_OP")) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0) throw mergeRefusals(refusals);
}

interface EmitOptions {
  readonly quantize: readonly QuantizeRule[];
  readonly loops: EmitGraphDefOptions;
  readonly sourceDigest: string;
  readonly savedModel: SavedModelContent | undefined;
}

const emitters: Readonly<
  Record<ArtifactFormat, (graph: Graph, path: string, options: EmitOptions) => readonly EmittedFile[]>
> = {
  "graph-model": (graph, path, { quantize, loops }) =>
    toGraphModelFiles(emitGraphModel(graph, { quantize, ...loops }), path),
  "graph-def": (graph, path, { loops }) => [{ path, data: splitGraphDef(emitGraphDef(graph, loops)) }],
  "graph-def-text": (graph, path, { loops }) => [{ path, data: splitGraphDefText(emitGraphDef(graph, loops)) }],
  "saved-model": (own, path, { loops, savedModel }) => {
    const { graph, signatures } = savedModel ?? {
      graph: own,
      signatures: { [servingSignatureKey]: bindSignature(own) },
    };
    const data = splitSavedModel(emitGraphDef(graph, loops), signatures);
    return [{ path: `${path}/${savedModelFile}`, data }];
  },
  onnx: (graph, path, { sourceDigest }) => {
    const { model, data } = emitOnnxFiles(graph, {
      name: "model",
      producerVersion: readVersion(),
      metadata: { "ckpt.source": sourceDigest },
      dataFile: onnxDataFile,
    });
    return [{ path, data: model }, ...(data === undefined ? [] : [{ path: onnxDataFile, data }])];
  },
};

/** `model.json` and its shards beside it, as TensorFlow.js's own converter lays them out. */
function toGraphModelFiles(model: GraphModel, path: string): readonly EmittedFile[] {
  const { modelTopology, weightSpecs: weights, weightData, signature } = model;
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const weightBytes = new Uint8Array(weightData);
  const count = Math.ceil(weightBytes.byteLength / shardSizeBytes);
  const shards = Array.from({ length: count }, (_, index) => ({
    name: `group1-shard${index + 1}of${count}.bin`,
    data: weightBytes.subarray(index * shardSizeBytes, (index + 1) * shardSizeBytes),
  }));
  const json = JSON.stringify({
    format: "graph-model",
    generatedBy: "ckpt",
    convertedBy: null,
    modelTopology,
    signature,
    weightsManifest: [{ paths: shards.map(({ name }) => name), weights }],
  });
  return [{ path, data: json }, ...shards.map(({ name, data }) => ({ path: `${folder}${name}`, data }))];
}

/** The refusals of several formats as one error. */
function mergeRefusals(refusals: readonly CkptError<"UNSUPPORTED_OP">[]): CkptError<"UNSUPPORTED_OP"> {
  const [first] = refusals;
  if (first !== undefined && refusals.length === 1) return first;
  // A SavedModel and a GraphModel are made from a GraphDef and may refuse for its reasons, once more.
  const ops = refusals.flatMap(({ details }) =>
    details.ops.map((op) => ({ ...op, reason: `${details.format}: ${op.reason}` })),
  );
  return new CkptError("UNSUPPORTED_OP", {
    format: [...new Set(refusals.map(({ details }) => details.format))].join(", "),
    ops: [...new Map(ops.map((op) => [JSON.stringify(op), op])).values()],
  });
}

function readVersion(): string {
  return (createRequire(import.meta.url)("../package.json") as { readonly version: string }).version;
}
