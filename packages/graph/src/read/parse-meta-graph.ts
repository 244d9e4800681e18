import { fromBinary } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
import {
  type MetaGraphDef,
  MetaGraphDefSchema,
  SavedModelSchema,
  type TensorInfo,
} from "../proto/gen/tensorflow/saved_model_pb.js";
import { parseText } from "../proto/text-format/parse-text.js";

const remedy = "Name the .meta file that a Saver of TensorFlow wrote, or the folder of a SavedModel.";

/** A signature of a model of TensorFlow: the tensor, `node:output`, behind each of its names. */
export interface ImportedSignature {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** A graph of TensorFlow with what its exporter says of it. */
export interface ImportedMetaGraph {
  readonly graphDef: GraphDef;
  readonly tags: readonly string[];
  readonly signatures: Readonly<Record<string, ImportedSignature>>;
}

function nameTensors(infos: Readonly<Record<string, TensorInfo>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(infos).flatMap(([name, { encoding }]) =>
      encoding.case === "name" ? [[name, encoding.value] as const] : [],
    ),
  );
}

function readMetaGraph({ graphDef, metaInfoDef, signatureDef }: MetaGraphDef, path: string): ImportedMetaGraph {
  if (graphDef === undefined) {
    throw new CkptError("MODEL_UNREADABLE", { path, reason: "there is no graph in it", remedy });
  }
  const signatures = Object.entries(signatureDef).map(([key, { inputs, outputs }]) => [
    key,
    { inputs: nameTensors(inputs), outputs: nameTensors(outputs) },
  ]);
  return {
    graphDef,
    tags: metaInfoDef?.tags ?? [],
    signatures: Object.fromEntries(signatures) as Readonly<Record<string, ImportedSignature>>,
  };
}

/** Parses a message, or says what it is not. */
function parseMessage<Message>(parse: () => Message, kind: string, path: string): Message {
  try {
    return parse();
  } catch (cause) {
    const reason = `not a ${kind}: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy }, { cause });
  }
}

/**
 * Parses the bytes of a `.meta` file, which may be text, as `export_meta_graph(as_text=True)` writes it.
 *
 * @param path - Of the file; named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when they are no MetaGraph.
 */
export function parseMetaGraph(bytes: Uint8Array, path: string): ImportedMetaGraph {
  const parse = isText(bytes)
    ? (): MetaGraphDef => parseText(MetaGraphDefSchema, bytes)
    : (): MetaGraphDef => fromBinary(MetaGraphDefSchema, bytes);
  return readMetaGraph(parseMessage(parse, "MetaGraph", path), path);
}

/** Text begins with the name of a field or a comment; bytes with the tag of one of 7 fields, below 0x40 and not `#`. */
function isText([first = 0]: Uint8Array): boolean {
  return first === 0x23 || first >= 0x41;
}

/**
 * Parses the bytes of a `saved_model.pb`: a graph for each set of tags.
 *
 * @param path - Of the file; named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when they are no SavedModel.
 */
export function parseMetaGraphs(bytes: Uint8Array, path: string): readonly ImportedMetaGraph[] {
  const { metaGraphs } = parseMessage(() => fromBinary(SavedModelSchema, bytes), "SavedModel", path);
  return metaGraphs.map((metaGraph) => readMetaGraph(metaGraph, path));
}
