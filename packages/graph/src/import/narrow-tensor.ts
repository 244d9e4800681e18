import { create } from "@bufbuild/protobuf";
import { CkptError, type Dtype } from "@ckpt/manifest";

import { toDataType } from "../emit/graph-def/data-type.js";
import { toLittleEndianBytes } from "../emit/little-endian.js";
import type { TensorValues } from "../ir/graph.js";
import { DataType, type TensorProto, TensorProtoSchema } from "../proto/gen/tensorflow/graph_pb.js";
import { countElements, repeatLast, shapeOf } from "../read/tensor-content.js";
import { narrowNumbers, type WideDtype } from "./narrow-numbers.js";

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
 * @throws {CkptError} UNSUPPORTED_DTYPE for text and complex numbers, for an integer beyond int32 and a double beyond
 *   float32; MODEL_UNREADABLE as {@link countElements}; `where` names the tensor.
 */
export function readNarrowValues(tensor: TensorProto, where: string): NarrowValues {
  const storage = storages.get(tensor.dtype);
  if (storage === undefined) {
    const found = DataType[tensor.dtype] ?? String(tensor.dtype);
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype: found, supported: ["float32", "int32", "bool"] });
  }
  const size = countElements(tensor, storage.Array.BYTES_PER_ELEMENT, where);
  const { tensorContent } = tensor;
  const stored =
    tensorContent.length > 0
      ? // At an address of its own: what is read out of a message may stand anywhere.
        new storage.Array(tensorContent.slice().buffer)
      : storage.list(tensor);
  const { dtype, values } = narrow(storage.dtype, stored, where);
  return { dtype, shape: shapeOf(tensor), values: repeatLast(values, size) };
}

function narrow(
  dtype: Storage["dtype"],
  stored: ArrayLike<number | bigint>,
  where: string,
): Pick<NarrowValues, "dtype" | "values"> {
  if (dtype === "float32") return { dtype, values: Float32Array.from(stored, Number) };
  if (dtype === "bool") return { dtype, values: Uint8Array.from(stored, Number) };
  return narrowNumbers(dtype, stored, where);
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

/** How messages store the elements of a type. */
interface Storage {
  readonly dtype: "float32" | "bool" | WideDtype;
  /** In memory; little-endian, as every machine that runs this is. */
  readonly Array: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBuffer): ArrayLike<number | bigint>;
  };
  readonly list: (tensor: TensorProto) => ArrayLike<number | bigint>;
}

const intList = ({ intVal }: TensorProto): readonly number[] => intVal;
const halfList = ({ halfVal }: TensorProto): readonly number[] => halfVal;

const storages: ReadonlyMap<DataType, Storage> = new Map<DataType, Storage>([
  [DataType.DT_FLOAT, { dtype: "float32", Array: Float32Array, list: ({ floatVal }) => floatVal }],
  [DataType.DT_DOUBLE, { dtype: "float64", Array: Float64Array, list: ({ doubleVal }) => doubleVal }],
  [DataType.DT_HALF, { dtype: "float16", Array: Uint16Array, list: halfList }],
  [DataType.DT_BFLOAT16, { dtype: "bfloat16", Array: Uint16Array, list: halfList }],
  [DataType.DT_INT64, { dtype: "int64", Array: BigInt64Array, list: ({ int64Val }) => int64Val }],
  [DataType.DT_INT32, { dtype: "int32", Array: Int32Array, list: intList }],
  [DataType.DT_UINT32, { dtype: "uint32", Array: Uint32Array, list: ({ uint32Val }) => uint32Val }],
  [DataType.DT_INT16, { dtype: "int16", Array: Int16Array, list: intList }],
  [DataType.DT_UINT16, { dtype: "uint16", Array: Uint16Array, list: intList }],
  [DataType.DT_INT8, { dtype: "int8", Array: Int8Array, list: intList }],
  [DataType.DT_UINT8, { dtype: "uint8", Array: Uint8Array, list: intList }],
  [DataType.DT_BOOL, { dtype: "bool", Array: Uint8Array, list: ({ boolVal }) => boolVal.map(Number) }],
]);
