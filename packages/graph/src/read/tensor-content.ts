import { CkptError } from "@ckpt/manifest";

import { toLittleEndianBytes } from "../emit/little-endian.js";
import { DataType, type TensorProto } from "../proto/gen/tensorflow/graph_pb.js";

/** Sizes of a tensor's dimensions. */
export function shapeOf(tensor: TensorProto): number[] {
  return (tensor.tensorShape?.dim ?? []).map((dim) => Number(dim.size));
}

/**
 * The row-major little-endian bytes of a float32, int32 or bool tensor, whichever way the message stores them. A list
 * shorter than the tensor stands for its last value repeated, and an empty one for zeros.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when it has another element type; `where` names the tensor.
 */
export function readTensorContent(tensor: TensorProto, where: string): Uint8Array {
  if (tensor.tensorContent.length > 0) {
    return tensor.tensorContent;
  }
  const size = shapeOf(tensor).reduce((product, dimension) => product * dimension, 1);
  if (tensor.dtype === DataType.DT_FLOAT) {
    return toLittleEndianBytes(Float32Array.from(fill(tensor.floatVal, size, 0)));
  }
  if (tensor.dtype === DataType.DT_INT32) {
    return toLittleEndianBytes(Int32Array.from(fill(tensor.intVal, size, 0)));
  }
  if (tensor.dtype === DataType.DT_BOOL) {
    return Uint8Array.from(fill(tensor.boolVal, size, false), Number);
  }
  const dtype = DataType[tensor.dtype] ?? String(tensor.dtype);
  throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: ["float32", "int32", "bool"] });
}

function fill<T>(values: readonly T[], size: number, zero: T): T[] {
  return Array.from({ length: size }, (_, index) => values[index] ?? values.at(-1) ?? zero);
}
