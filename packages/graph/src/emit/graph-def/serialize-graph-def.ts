import { fromBinary } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import { type GraphDef, GraphDefSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { joinParts, splitMessage } from "../../proto/split-message.js";

/**
 * The bytes of a GraphDef, as in a frozen `.pb` file; equal messages made by `emitGraphDef` give equal bytes.
 *
 * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB.
 */
export function serializeGraphDef(graphDef: GraphDef): Uint8Array<ArrayBuffer> {
  return joinParts(splitGraphDef(graphDef));
}

/**
 * As {@link serializeGraphDef}, in parts that are one file: large constants are not copied.
 *
 * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB.
 */
export function splitGraphDef(graphDef: GraphDef): readonly Uint8Array[] {
  return splitMessage(GraphDefSchema, graphDef, "GraphDef");
}

/**
 * Reads the bytes of a GraphDef.
 *
 * @throws {CkptError} MODEL_UNREADABLE when they are not a GraphDef; `name` says whose bytes they are.
 */
export function parseGraphDef(bytes: Uint8Array, name: string = "GraphDef"): GraphDef {
  try {
    return fromBinary(GraphDefSchema, bytes);
  } catch (cause) {
    const reason = `not a GraphDef: ${cause instanceof Error ? cause.message : String(cause)}`;
    const remedy = "Name a frozen TensorFlow graph (.pb).";
    throw new CkptError("MODEL_UNREADABLE", { path: name, reason, remedy }, { cause });
  }
}
