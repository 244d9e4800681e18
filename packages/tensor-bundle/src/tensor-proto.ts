import { ByteReader } from "./byte-reader.js";
import { damaged } from "./damaged.js";
import type { MessageReader } from "./message-reader.js";
import {
  asTensor,
  fixedStorages,
  type FixedDtype,
  type TensorArrays,
  type TensorDtype,
  type TensorValue,
  valueBytes,
} from "./tensor-value.js";

/** The field of a TensorProto that holds values of a dtype; `varint` ones are numbers of one to ten bytes each. */
interface ValueField {
  readonly field: number;
  readonly isVarint: boolean;
}

const fixed = (field: number): ValueField => ({ field, isVarint: false });
const varint = (field: number): ValueField => ({ field, isVarint: true });

/** Numbers of `tensorflow/core/framework/tensor.proto`. */
const valueFields: { readonly [D in FixedDtype]: ValueField } = {
  float32: fixed(5),
  float64: fixed(6),
  int32: varint(7),
  uint8: varint(7),
  int16: varint(7),
  int8: varint(7),
  complex64: fixed(9),
  int64: varint(10),
  bool: varint(11),
  qint8: varint(7),
  quint8: varint(7),
  qint32: varint(7),
  bfloat16: varint(13),
  qint16: varint(7),
  quint16: varint(7),
  uint16: varint(7),
  complex128: fixed(12),
  float16: varint(13),
  uint32: varint(16),
  uint64: varint(17),
};
const stringField = 8;
const contentField = 4;

/**
 * Reads the values of a TensorProto; dtype and shape are known from elsewhere, and there have to be as many values as
 * the shape needs.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function readTensorProto(
  message: MessageReader,
  dtype: TensorDtype,
  shape: readonly number[],
  count: number,
): TensorValue {
  const { path } = message;
  const wanted = dtype === "string" ? stringField : valueFields[dtype].field;
  const chunks: Uint8Array[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === wanted) chunks.push(message.readRaw());
    else if (field === contentField && dtype !== "string") {
      return asTensor(dtype, shape, readFixed([message.readBytes()], dtype, count, path));
    } else message.skip();
  }
  return asTensor(dtype, shape, takeValues(chunks, dtype, count, path));
}

function takeValues(
  chunks: readonly Uint8Array[],
  dtype: TensorDtype,
  count: number,
  path: string,
): TensorArrays[TensorDtype] {
  if (dtype !== "string") {
    return valueFields[dtype].isVarint
      ? readVarints(chunks, dtype, count, path)
      : readFixed(chunks, dtype, count, path);
  }
  if (chunks.length !== count) throw damaged(path, `${chunks.length} strings where the shape needs ${count}`);
  return chunks;
}

function readFixed(
  chunks: readonly Uint8Array[],
  dtype: FixedDtype,
  count: number,
  path: string,
): TensorArrays[FixedDtype] {
  const sizeBytes = chunks.reduce((sum, { length }) => sum + length, 0);
  if (sizeBytes !== count * valueBytes(dtype)) {
    throw damaged(path, `${sizeBytes} bytes where the shape needs ${count} values`);
  }
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const { Array, width } = fixedStorages[dtype];
  return new Array(bytes.buffer, 0, count * width);
}

function readVarints(
  chunks: readonly Uint8Array[],
  dtype: FixedDtype,
  count: number,
  path: string,
): TensorArrays[FixedDtype] {
  const sizeBytes = chunks.reduce((sum, { length }) => sum + length, 0);
  if (count > sizeBytes) throw damaged(path, `${sizeBytes} bytes for ${count} values`);
  const values = new fixedStorages[dtype].Array(count);
  const store = storeVarint(values);
  let index = 0;
  for (const chunk of chunks) {
    const reader = new ByteReader(chunk, path);
    for (; !reader.isAtEnd; index++) {
      reader.readVarint();
      store(index, reader);
    }
  }
  if (index !== count) throw damaged(path, `${index} values where the shape needs ${count}`);
  return values;
}

/** Narrow integers are stored sign-extended to 64 bits, so their lower half is all there is. */
function storeVarint(values: TensorArrays[FixedDtype]): (index: number, number: ByteReader) => void {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return (index, { low, high }) => {
      values[index] = (BigInt(high) << 32n) | BigInt(low);
    };
  }
  return (index, { low }) => {
    values[index] = low;
  };
}
