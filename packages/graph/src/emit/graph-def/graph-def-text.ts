import { CkptError } from "@ckpt/manifest";

import { type GraphDef, GraphDefSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { parseText } from "../../proto/text-format/parse-text.js";
import { serializeText } from "../../proto/text-format/serialize-text.js";

/**
 * A GraphDef as text, as in a `.pbtxt` file, for people to read: some three times the size of the binary form; in parts
 * that are one text.
 *
 * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB.
 */
export function splitGraphDefText(graphDef: GraphDef): readonly Uint8Array[] {
  return serializeText(GraphDefSchema, graphDef, "GraphDef text");
}

/**
 * Reads a GraphDef as text, whoever wrote it.
 *
 * @throws {CkptError} MODEL_UNREADABLE naming line and column; `name` says whose text it is.
 */
export function parseGraphDefText(bytes: Uint8Array, name: string = "GraphDef"): GraphDef {
  try {
    return parseText(GraphDefSchema, bytes);
  } catch (cause) {
    const reason = `not a GraphDef in text form: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new CkptError("MODEL_UNREADABLE", { path: name, reason, remedy: "Name a .pbtxt file." }, { cause });
  }
}
