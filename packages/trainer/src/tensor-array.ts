import { CkptError } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { arrayTypes, viewBackendValues } from "./backend-values.js";
import type { ArrayDtype, NamedArray } from "./named-array.js";

/**
 * Reads a tensor's values without copying them where the backend allows that (cpu, wasm): they are a view of live
 * memory then, good until TensorFlow.js next computes anything. The reading starts before this function returns.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when they are strings or complex numbers.
 */
export async function viewTensor(name: string, tensor: tf.Tensor): Promise<NamedArray> {
  const dtype = requireArrayDtype(name, tensor.dtype);
  const view = viewBackendValues(tensor, dtype);
  return { name, dtype, shape: [...tensor.shape], data: view ?? convert(await tensor.data(), dtype) };
}

/** The cpu backend gives out values in the array of the type they were cast from. */
function convert(values: ArrayLike<number>, dtype: ArrayDtype): NamedArray["data"] {
  const type = arrayTypes[dtype];
  return values instanceof type ? values : type.from(values);
}

/** Makes a tensor of a copy of an array, which the cpu backend would else compute with; the caller disposes of it. */
export function toTensor({ data, shape, dtype }: NamedArray): tf.Tensor {
  return tf.tensor(data.slice(), [...shape], dtype);
}

/** Passes a tensor on and disposes of it, whatever comes of that. */
export function disposeAfter<Result>(tensor: tf.Tensor, use: (tensor: tf.Tensor) => Result): Result {
  try {
    return use(tensor);
  } finally {
    tensor.dispose();
  }
}

const arrayDtypes: readonly ArrayDtype[] = ["float32", "int32", "bool"];

/**
 * Passes an element type on that arrays can have.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE for strings and complex numbers.
 */
export function requireArrayDtype(where: string, dtype: tf.DataType): ArrayDtype {
  const found = arrayDtypes.find((known) => known === dtype);
  if (found === undefined) throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: arrayDtypes });
  return found;
}
