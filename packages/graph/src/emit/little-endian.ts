import { endianness } from "node:os";

import type { TensorValues } from "../ir/graph.js";

const isLittleEndianHost = endianness() === "LE";

/** The bytes of tensor values in little-endian order, as every format here stores them; a view where it can be. */
export function toLittleEndianBytes(values: TensorValues | Uint16Array | BigInt64Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return isLittleEndianHost ? bytes : swapElementBytes(bytes, values.BYTES_PER_ELEMENT);
}

/** The float32 values of little-endian bytes; a view where it can be. */
export function fromLittleEndianFloats(bytes: Uint8Array): Float32Array {
  const host = isLittleEndianHost ? bytes : swapElementBytes(bytes, Float32Array.BYTES_PER_ELEMENT);
  const aligned = host.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0 ? host : host.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / Float32Array.BYTES_PER_ELEMENT);
}

/** Copies bytes with those of each element of `elementBytes` bytes in reverse order. */
function swapElementBytes(bytes: Uint8Array, elementBytes: number): Uint8Array {
  return bytes.map((_, index) => {
    const start = index - (index % elementBytes);
    return bytes[start + elementBytes - 1 - (index - start)] ?? 0;
  });
}
