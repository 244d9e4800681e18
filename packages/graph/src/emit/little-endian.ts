import { endianness } from "node:os";

import type { Dtype } from "@ckpt/manifest";

import type { TensorValues } from "../ir/graph.js";

/** Of a float32 and of an int32. */
const elementBytes = 4;

const isLittleEndianHost = endianness() === "LE";

/** The bytes of tensor values in little-endian order, as every format here stores them; a view where it can be. */
export function toLittleEndianBytes(values: TensorValues | Uint16Array | BigInt64Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return isLittleEndianHost ? bytes : swapElementBytes(bytes, values.BYTES_PER_ELEMENT);
}

/**
 * The values of little-endian bytes; a view where it can be.
 *
 * @param dtype - A string has no bytes of its own here.
 */
export function fromLittleEndianBytes(bytes: Uint8Array, dtype: Exclude<Dtype, "string">): TensorValues {
  if (dtype === "bool") return bytes;
  const host = isLittleEndianHost ? bytes : swapElementBytes(bytes, elementBytes);
  // Not by slice: that of a Buffer is a view.
  const { buffer, byteOffset, byteLength } = host.byteOffset % elementBytes === 0 ? host : new Uint8Array(host);
  return dtype === "float32"
    ? new Float32Array(buffer, byteOffset, byteLength / elementBytes)
    : new Int32Array(buffer, byteOffset, byteLength / elementBytes);
}

/** Copies bytes with those of each element of `sizeBytes` bytes in reverse order. */
function swapElementBytes(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  return bytes.map((_, index) => {
    const start = index - (index % sizeBytes);
    return bytes[start + sizeBytes - 1 - (index - start)] ?? 0;
  });
}
