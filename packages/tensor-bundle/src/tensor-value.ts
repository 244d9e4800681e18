/**
 * The array that holds the values of each dtype, row by row.
 *
 * `float16` and `bfloat16` are their bits. `complex64` and `complex128` are interleaved, real part first, two numbers a
 * value. `bool` is 0 or 1. `string` is bytes, as TensorFlow's strings are. The `q` types are the quantized integers as
 * stored.
 */
export interface TensorArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly int8: Int8Array;
  readonly string: readonly Uint8Array[];
  readonly complex64: Float32Array;
  readonly int64: BigInt64Array;
  readonly bool: Uint8Array;
  readonly qint8: Int8Array;
  readonly quint8: Uint8Array;
  readonly qint32: Int32Array;
  readonly bfloat16: Uint16Array;
  readonly qint16: Int16Array;
  readonly quint16: Uint16Array;
  readonly uint16: Uint16Array;
  readonly complex128: Float64Array;
  readonly float16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly uint64: BigUint64Array;
}

/** The dtypes whose values can be read and written. */
export type TensorDtype = keyof TensorArrays;

/** Those that are numbers of a fixed size. */
export type FixedDtype = Exclude<TensorDtype, "string">;

/** A whole tensor; `dtype` tells the type of `values`. A scalar has the shape `[]`. */
export type TensorValue = {
  readonly [D in TensorDtype]: {
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly values: TensorArrays[D];
  };
}[TensorDtype];

type FixedArray = TensorArrays[FixedDtype];

/** How a dtype of a fixed size is stored. */
export interface FixedStorage {
  /** TensorFlow's number of the dtype. */
  readonly number: number;
  /** Entries of the array a value takes: 2 for complex numbers. */
  readonly width: 1 | 2;
  readonly Array: {
    readonly BYTES_PER_ELEMENT: number;
    new (length: number): FixedArray;
    new (buffer: ArrayBufferLike, byteOffset: number, length: number): FixedArray;
  };
}

const store = (number: number, ArrayType: FixedStorage["Array"], width: 1 | 2 = 1): FixedStorage => ({
  number,
  width,
  Array: ArrayType,
});

/** Numbers of `tensorflow/core/framework/types.proto`. */
export const fixedStorages: { readonly [D in FixedDtype]: FixedStorage } = {
  float32: store(1, Float32Array),
  float64: store(2, Float64Array),
  int32: store(3, Int32Array),
  uint8: store(4, Uint8Array),
  int16: store(5, Int16Array),
  int8: store(6, Int8Array),
  complex64: store(8, Float32Array, 2),
  int64: store(9, BigInt64Array),
  bool: store(10, Uint8Array),
  qint8: store(11, Int8Array),
  quint8: store(12, Uint8Array),
  qint32: store(13, Int32Array),
  bfloat16: store(14, Uint16Array),
  qint16: store(15, Int16Array),
  quint16: store(16, Uint16Array),
  uint16: store(17, Uint16Array),
  complex128: store(18, Float64Array, 2),
  float16: store(19, Uint16Array),
  uint32: store(22, Uint32Array),
  uint64: store(23, BigUint64Array),
};
const stringNumber = 7;

/** A dtype as a checkpoint lists it; `DT_<number>` is one that this package cannot read. */
export type ListedDtype = TensorDtype | `DT_${number}`;

const dtypesByNumber: ReadonlyMap<number, TensorDtype> = new Map([
  [stringNumber, "string"],
  ...Object.entries(fixedStorages).map(([dtype, { number }]) => [number, dtype as FixedDtype] as const),
]);

/** The dtype of TensorFlow's number. */
export function dtypeOfNumber(number: number): ListedDtype {
  return dtypesByNumber.get(number) ?? `DT_${number}`;
}

/** TensorFlow's number of the dtype. */
export function numberOfDtype(dtype: TensorDtype): number {
  return dtype === "string" ? stringNumber : fixedStorages[dtype].number;
}

/** Whether values of this dtype can be read. */
export function isReadable(dtype: ListedDtype): dtype is TensorDtype {
  return dtype === "string" || dtype in fixedStorages;
}

/** The dtypes that can be read, by TensorFlow's numbers. */
export const tensorDtypes: readonly TensorDtype[] = [...dtypesByNumber]
  .toSorted(([a], [b]) => a - b)
  .map(([, dtype]) => dtype);

/** Bytes that one value takes in a file. */
export function valueBytes(dtype: FixedDtype): number {
  const { Array, width } = fixedStorages[dtype];
  return Array.BYTES_PER_ELEMENT * width;
}

/** Puts the parts together; that `values` are those of `dtype` is the caller's business. */
export function asTensor(dtype: TensorDtype, shape: readonly number[], values: TensorArrays[TensorDtype]): TensorValue {
  return { dtype, shape, values } as TensorValue;
}
