import { create } from "@bufbuild/protobuf";
import { CkptError, type Dtype } from "@ckpt/manifest";

import { fromDataType, toDataType } from "../emit/graph-def/data-type.js";
import { toLittleEndianBytes } from "../emit/little-endian.js";
import type { TensorValues } from "../ir/graph.js";
import { DataType, type TensorProto, TensorProtoSchema } from "../proto/gen/tensorflow/graph_pb.js";
import { shapeOf } from "../read/tensor-content.js";

/** What each element type becomes where there are float32, int32 and bool only. */
const narrowTypes: ReadonlyMap<DataType, DataType> = new Map([
  [DataType.DT_DOUBLE, DataType.DT_FLOAT],
  [DataType.DT_HALF, DataType.DT_FLOAT],
  [DataType.DT_BFLOAT16, DataType.DT_FLOAT],
  [DataType.DT_INT64, DataType.DT_INT32],
  [DataType.DT_INT16, DataType.DT_INT32],
  [DataType.DT_INT8, DataType.DT_INT32],
  [DataType.DT_UINT8, DataType.DT_INT32],
  [DataType.DT_UINT16, DataType.DT_INT32],
  [DataType.DT_UINT32, DataType.DT_INT32],
]);

/** References to variables are numbered from 100. */
const referenceOffset = 100;

/**
 * The element type that stands for another where there are float32, int32 and bool only: doubles and halves are float32,
 * integers of all sizes int32, and a reference is what it refers to. Others stay as they are.
 */
export function narrowType(type: DataType): DataType {
  const value = (type > referenceOffset ? type - referenceOffset : type) as DataType;
  return narrowTypes.get(value) ?? value;
}

/** Elements of a tensor in the array type of its narrowed element type. */
export interface NarrowValues {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/**
 * Reads the elements of a tensor, whichever way the message stores them. A list shorter than the tensor stands for its
 * last value repeated, and an empty one for zeros.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE for text and complex numbers, and for an integer beyond int32; `where` names the
 *   tensor.
 */
export function readNarrowValues(tensor: TensorProto, where: string): NarrowValues {
  const dtype = fromDataType(narrowType(tensor.dtype), where);
  const shape = shapeOf(tensor);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const wide = tensor.tensorContent.length > 0 ? readContent(tensor, where) : readList(tensor, where);
  const value = (index: number): number => Number(wide[Math.min(index, wide.length - 1)] ?? 0);
  if (dtype === "float32") return { dtype, shape, values: Float32Array.from({ length: size }, (_, at) => value(at)) };
  if (dtype === "bool") return { dtype, shape, values: Uint8Array.from({ length: size }, (_, at) => value(at)) };
  const values = Int32Array.from({ length: size }, (_, at) => value(at));
  // Ends of ranges are often given as the largest integer there is.
  const isTooLarge = (_: number, at: number): boolean => values[at] !== value(at);
  if (values.some(isTooLarge)) {
    const found = `${DataType[tensor.dtype]} beyond int32`;
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype: found, supported: ["float32", "int32", "bool"] });
  }
  return { dtype, shape, values };
}

/** A tensor with the narrowed element type and the same elements. */
export function narrowTensor(tensor: TensorProto, where: string): TensorProto {
  if (narrowType(tensor.dtype) === tensor.dtype) return tensor;
  const { dtype, values } = readNarrowValues(tensor, where);
  return create(TensorProtoSchema, {
    dtype: toDataType(dtype),
    ...(tensor.tensorShape === undefined ? {} : { tensorShape: tensor.tensorShape }),
    tensorContent: toLittleEndianBytes(values),
  });
}

function readList(tensor: TensorProto, where: string): ArrayLike<number | bigint | boolean> {
  switch (tensor.dtype) {
    case DataType.DT_FLOAT:
      return tensor.floatVal;
    case DataType.DT_DOUBLE:
      return tensor.doubleVal;
    case DataType.DT_HALF:
    case DataType.DT_BFLOAT16:
      return tensor.halfVal.map((bits) => widen(bits, tensor.dtype));
    case DataType.DT_INT64:
      return tensor.int64Val;
    case DataType.DT_BOOL:
      return tensor.boolVal;
    case DataType.DT_UINT32:
      return tensor.uint32Val;
    case DataType.DT_INT32:
    case DataType.DT_INT16:
    case DataType.DT_INT8:
    case DataType.DT_UINT8:
    case DataType.DT_UINT16:
      return tensor.intVal;
    default:
      return refuse(tensor, where);
  }
}

function readContent({ dtype, tensorContent }: TensorProto, where: string): ArrayLike<number | bigint> {
  // At an address of its own: what is read out of a message may stand anywhere.
  const { buffer } = tensorContent.slice();
  switch (dtype) {
    case DataType.DT_FLOAT:
      return new Float32Array(buffer);
    case DataType.DT_DOUBLE:
      return new Float64Array(buffer);
    case DataType.DT_HALF:
    case DataType.DT_BFLOAT16:
      return Float32Array.from(new Uint16Array(buffer), (bits) => widen(bits, dtype));
    case DataType.DT_INT64:
      return new BigInt64Array(buffer);
    case DataType.DT_INT32:
      return new Int32Array(buffer);
    case DataType.DT_UINT32:
      return new Uint32Array(buffer);
    case DataType.DT_INT16:
      return new Int16Array(buffer);
    case DataType.DT_UINT16:
      return new Uint16Array(buffer);
    case DataType.DT_INT8:
      return new Int8Array(buffer);
    case DataType.DT_UINT8:
    case DataType.DT_BOOL:
      return new Uint8Array(buffer);
    default:
      return refuse({ dtype }, where);
  }
}

/** A half-precision or bfloat16 number by its bits. Reference: IEEE 754 binary16; bfloat16 is the upper half of float32. */
function widen(bits: number, type: DataType): number {
  if (type === DataType.DT_BFLOAT16) return new Float32Array(Uint32Array.of((bits & 0xffff) << 16).buffer)[0] ?? 0;
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function refuse({ dtype }: Pick<TensorProto, "dtype">, where: string): never {
  const found = DataType[dtype] ?? String(dtype);
  throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype: found, supported: ["float32", "int32", "bool"] });
}
