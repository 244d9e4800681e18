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

/** What a reference to a variable refers to. */
const referencedTypes: ReadonlyMap<DataType, DataType> = new Map([
  [DataType.DT_FLOAT_REF, DataType.DT_FLOAT],
  [DataType.DT_DOUBLE_REF, DataType.DT_DOUBLE],
  [DataType.DT_INT32_REF, DataType.DT_INT32],
  [DataType.DT_UINT8_REF, DataType.DT_UINT8],
  [DataType.DT_INT16_REF, DataType.DT_INT16],
  [DataType.DT_INT8_REF, DataType.DT_INT8],
  [DataType.DT_STRING_REF, DataType.DT_STRING],
  [DataType.DT_INT64_REF, DataType.DT_INT64],
  [DataType.DT_BOOL_REF, DataType.DT_BOOL],
  [DataType.DT_HALF_REF, DataType.DT_HALF],
]);

/**
 * The element type that stands for another where there are float32, int32 and bool only: doubles and halves are float32,
 * integers of all sizes int32, and a reference is what it refers to. Others stay as they are.
 */
export function narrowType(type: DataType): DataType {
  const value = referencedTypes.get(type) ?? type;
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
  const wide =
    tensor.tensorContent.length > 0
      ? // At an address of its own: what is read out of a message may stand anywhere.
        contents.get(tensor.dtype)?.(tensor.tensorContent.slice().buffer)
      : lists.get(tensor.dtype)?.(tensor);
  if (wide === undefined) {
    const found = DataType[tensor.dtype] ?? String(tensor.dtype);
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype: found, supported: ["float32", "int32", "bool"] });
  }
  const value = (index: number): number => Number(wide[Math.min(index, wide.length - 1)] ?? 0);
  if (dtype === "float32") return { dtype, shape, values: Float32Array.from({ length: size }, (_, at) => value(at)) };
  if (dtype === "bool") return { dtype, shape, values: Uint8Array.from({ length: size }, (_, at) => value(at)) };
  const values = Int32Array.from({ length: size }, (_, at) => value(at));
  if (values.some((found, at) => found !== value(at))) {
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

type Wide = ArrayLike<number | bigint | boolean>;

/** Where a message lists the elements of each type. */
const lists: ReadonlyMap<DataType, (tensor: TensorProto) => Wide> = new Map([
  [DataType.DT_FLOAT, ({ floatVal }: TensorProto): Wide => floatVal],
  [DataType.DT_DOUBLE, ({ doubleVal }: TensorProto): Wide => doubleVal],
  [DataType.DT_HALF, ({ halfVal }: TensorProto): Wide => halfVal.map(widenHalf)],
  [DataType.DT_BFLOAT16, ({ halfVal }: TensorProto): Wide => halfVal.map(widenBfloat16)],
  [DataType.DT_INT64, ({ int64Val }: TensorProto): Wide => int64Val],
  [DataType.DT_BOOL, ({ boolVal }: TensorProto): Wide => boolVal],
  [DataType.DT_UINT32, ({ uint32Val }: TensorProto): Wide => uint32Val],
  ...[DataType.DT_INT32, DataType.DT_INT16, DataType.DT_INT8, DataType.DT_UINT8, DataType.DT_UINT16].map(
    (type): [DataType, (tensor: TensorProto) => Wide] => [type, ({ intVal }) => intVal],
  ),
]);

/** Elements of each type in memory; little-endian, as every machine that runs this is. */
const contents: ReadonlyMap<DataType, (buffer: ArrayBuffer) => Wide> = new Map([
  [DataType.DT_FLOAT, (buffer: ArrayBuffer): Wide => new Float32Array(buffer)],
  [DataType.DT_DOUBLE, (buffer: ArrayBuffer): Wide => new Float64Array(buffer)],
  [DataType.DT_HALF, (buffer: ArrayBuffer): Wide => Float32Array.from(new Uint16Array(buffer), widenHalf)],
  [DataType.DT_BFLOAT16, (buffer: ArrayBuffer): Wide => Float32Array.from(new Uint16Array(buffer), widenBfloat16)],
  [DataType.DT_INT64, (buffer: ArrayBuffer): Wide => new BigInt64Array(buffer)],
  [DataType.DT_INT32, (buffer: ArrayBuffer): Wide => new Int32Array(buffer)],
  [DataType.DT_UINT32, (buffer: ArrayBuffer): Wide => new Uint32Array(buffer)],
  [DataType.DT_INT16, (buffer: ArrayBuffer): Wide => new Int16Array(buffer)],
  [DataType.DT_UINT16, (buffer: ArrayBuffer): Wide => new Uint16Array(buffer)],
  [DataType.DT_INT8, (buffer: ArrayBuffer): Wide => new Int8Array(buffer)],
  [DataType.DT_UINT8, (buffer: ArrayBuffer): Wide => new Uint8Array(buffer)],
  [DataType.DT_BOOL, (buffer: ArrayBuffer): Wide => new Uint8Array(buffer)],
]);

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of((bits & 0xffff) << 16).buffer)[0] ?? 0;
}

/** A half-precision number by its bits. Reference: IEEE 754, binary16. */
function widenHalf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
