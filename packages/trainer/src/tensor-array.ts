import { CkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { ArrayDtype, NamedArray } from "./named-array.js";

/**
 * Copies a tensor's values.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when they are strings or complex numbers.
 */
export async function captureTensor(name: string, tensor: tf.Tensor): Promise<NamedArray> {
  const dtype = requireArrayDtype(name, tensor.dtype);
  // The cpu backend hands out its own array, not a copy.
  const data = (await tensor.data<ArrayDtype>()).slice();
  return { name, dtype, shape: [...tensor.shape], data };
}

/** Makes a tensor of an array; the caller disposes of it. */
export function toTensor({ data, shape, dtype }: NamedArray): tf.Tensor {
  return tf.tensor(data, [...shape], dtype);
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

function requireArrayDtype(where: string, dtype: tf.DataType): ArrayDtype {
  const found = arrayDtypes.find((known) => known === dtype);
  if (found === undefined) throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: arrayDtypes });
  return found;
}
