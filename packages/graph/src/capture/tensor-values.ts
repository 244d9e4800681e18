import { CkptError, type Dtype } from "@ckpt/manifest";

import type { TensorValues } from "../ir/graph.js";

const capturedDtypes = ["float32", "int32", "bool"] as const;

/**
 * Narrows a TensorFlow.js dtype to those a captured tensor may have.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE for `string`, `complex64` and anything else.
 */
export function checkDtype(dtype: string, where: string): Exclude<Dtype, "string"> {
  const found = capturedDtypes.find((known) => known === dtype);
  if (found === undefined) throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: capturedDtypes });
  return found;
}

/** A copy of the values in the array type of the dtype. */
export function copyValues(dtype: Dtype, values: ArrayLike<number>): TensorValues {
  if (dtype === "float32") return Float32Array.from(values);
  return dtype === "bool" ? Uint8Array.from(values) : Int32Array.from(values);
}
