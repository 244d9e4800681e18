import {
  bindSignature,
  emitGraphDef,
  emitGraphModel,
  emitOnnx,
  emitSavedModel,
  type Graph,
  type GraphModel,
  serializeGraphDef,
} from "@ckpt/graph";
import { type ArtifactFormat, CkptError, formatPaths, isCkptError } from "@ckpt/manifest";

/** The one file of a SavedModel whose variables are frozen. */
export const savedModelFile = "saved_model.pb";

/** Size at which weight files of a GraphModel are cut, so that browsers can cache them one by one: 4 MiB. */
const shardSizeBytes = 4 * 1024 * 1024;

/** A file of an artifact: path relative to the artifact's folder. */
export interface EmittedFile {
  readonly path: string;
  readonly data: Uint8Array | string;
}

/**
 * Emits a graph in each of the formats. Equal graphs give equal bytes.
 *
 * @param sourceDigest - Written into the ONNX model's metadata as `ckpt.source`.
 * @throws {CkptError} UNSUPPORTED_OP listing everything that any of the formats cannot express.
 */
export function emitFormats(
  graph: Graph,
  formats: readonly ArtifactFormat[],
  sourceDigest: string,
): readonly EmittedFile[] {
  const files: EmittedFile[] = [];
  const refusals: CkptError<"UNSUPPORTED_OP">[] = [];
  for (const format of formats) {
    try {
      files.push(...emitters[format](graph, formatPaths[format], sourceDigest));
    } catch (error) {
      if (!isCkptError(error, "UNSUPPORTED_OP")) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0) throw mergeRefusals(refusals);
  return files;
}

const emitters: Readonly<
  Record<ArtifactFormat, (graph: Graph, path: string, sourceDigest: string) => readonly EmittedFile[]>
> = {
  "graph-model": (graph, path) => toGraphModelFiles(emitGraphModel(graph), path),
  "graph-def": (graph, path) => [{ path, data: serializeGraphDef(emitGraphDef(graph)) }],
  "saved-model": (graph, path) => [
    { path: `${path}/${savedModelFile}`, data: emitSavedModel(emitGraphDef(graph), bindSignature(graph)) },
  ],
  onnx: (graph, path, sourceDigest) => [
    { path, data: emitOnnx(graph, { name: "model", metadata: { "ckpt.source": sourceDigest } }) },
  ],
};

/** `model.json` and its shards beside it, as TensorFlow.js's own converter lays them out. */
function toGraphModelFiles(model: GraphModel, path: string): readonly EmittedFile[] {
  const { modelTopology, weightSpecs: weights, weightData, signature } = model;
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const count = Math.ceil(weightData.byteLength / shardSizeBytes);
  const shards = Array.from({ length: count }, (_, index) => ({
    name: `group1-shard${index + 1}of${count}.bin`,
    data: new Uint8Array(weightData.slice(index * shardSizeBytes, (index + 1) * shardSizeBytes)),
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
export function mergeRefusals(refusals: readonly CkptError<"UNSUPPORTED_OP">[]): CkptError<"UNSUPPORTED_OP"> {
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
