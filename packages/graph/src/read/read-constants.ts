import { CkptError } from "@ckpt/manifest";

import { fromDataType } from "../emit/graph-def/data-type.js";
import { fromLittleEndianBytes } from "../emit/little-endian.js";
import type { Constant } from "../ir/graph.js";
import type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
import { readTensorContent, shapeOf } from "./tensor-content.js";

/**
 * The constants of a GraphDef by node name; their values are views of the message where they can be.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when one holds something else than float32, int32 or bool.
 */
export function readConstants(graphDef: GraphDef): ReadonlyMap<string, Constant> {
  const constants = new Map<string, Constant>();
  for (const { name, op, attr } of graphDef.node) {
    const value = attr["value"]?.value;
    if (op !== "Const" || value?.case !== "tensor") continue;
    const where = `constant ${name}`;
    const dtype = fromDataType(value.value.dtype, where);
    if (dtype === "string") {
      throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: ["float32", "int32", "bool"] });
    }
    const values = fromLittleEndianBytes(readTensorContent(value.value, where), dtype);
    constants.set(name, { dtype, shape: shapeOf(value.value), values });
  }
  return constants;
}
