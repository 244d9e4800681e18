import { CkptError } from "@ckpt/manifest";

import { toLittleEndianBytes } from "../emit/little-endian.js";
import type { TensorValues } from "../ir/graph.js";
import { DataType, type TensorProto } from "../proto/gen/tensorflow/graph_pb.js";

/** Sizes of a tensor's dimensions. */
export function shapeOf(tensor: TensorProto): number[] {
  return (tensor.tensorShape?.dim ?? []).map((dim) => Number(dim.size));
}

/** As many elements of four bytes as the 2 GiB of a message hold. */
const maxElements = 2 ** 29;

/**
 * The number of elements of a tensor.
 *
 * @param elementBytes - How many bytes one takes in the tensor's content.
 * @throws {CkptError} MODEL_UNREADABLE for sizes below 0 or beyond 2^29 elements, and where the content has not as many
 *   bytes as the sizes say; `where` names the tensor.
 */
export function countElements(tensor: TensorProto, elementBytes: number, where: string): number {
  const fail = (reason: string): never => {
    throw new CkptError("MODEL_UNREADABLE", { path: where, reason, remedy: "Export the model again." });
  };
  const shape = shapeOf(tensor);
  const count = shape.reduce((product, size) => product * size, 1);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || count > maxElements) {
    return fail(`it has the sizes [${shape.join(", ")}], which no tensor in a file has`);
  }
  const { length } = tensor.tensorContent;
  if (length > 0 && length !== count * elementBytes) {
    return fail(`it has ${length} bytes for the sizes [${shape.join(", ")}], not ${count * elementBytes}`);
  }
  return count;
}

/** The first `size` values; those that are missing are the last one that is there, or zero. */
export function repeatLast<Values extends TensorValues>(values: Values, size: number): Values {
  if (values.length === size) return values;
  const Constructor = values.constructor as new (length: number) => Values;
  const filled = new Constructor(size);
  filled.fill(values.at(-1) ?? 0);
  filled.set(values.subarray(0, size));
  return filled;
}

/**
 * The row-major little-endian bytes of a float32, int32 or bool tensor, whichever way the message stores them. A list
 * shorter than the tensor stands for its last value repeated, and an empty one for zeros.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when it has another element type; MODEL_UNREADABLE as {@link countElements};
 *   `where` names the tensor.
 */
export function readTensorContent(tensor: TensorProto, where: string): Uint8Array {
  const listed = listValues(tensor, where);
  const size = countElements(tensor, listed.BYTES_PER_ELEMENT, where);
  return tensor.tensorContent.length > 0 ? tensor.tensorContent : toLittleEndianBytes(repeatLast(listed, size));
}

function listValues(tensor: TensorProto, where: string): TensorValues {
  if (tensor.dtype === DataType.DT_FLOAT) return Float32Array.from(tensor.floatVal);
  if (tensor.dtype === DataType.DT_INT32) return Int32Array.from(tensor.intVal);
  if (tensor.dtype === DataType.DT_BOOL) return Uint8Array.from(tensor.boolVal, Number);
  const dtype = DataType[tensor.dtype] ?? String(tensor.dtype);
  throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: ["float32", "int32", "bool"] });
}
