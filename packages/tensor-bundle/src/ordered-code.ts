import type { ByteKey } from "./byte-key.js";

// The encoding of `tensorflow/core/lib/strings/ordered_code.h`: comparing bytes compares what they stand for.

/** Bytes of any value, ended by 00 01. */
export function encodeOrderedBytes(bytes: ByteKey): ByteKey {
  const escaped = bytes.replaceAll(/[\0\u00ff]/g, (byte) => (byte === "\0" ? "\0\u00ff" : "\u00ff\0"));
  return `${escaped}\0\u0001`;
}

/** A non-negative number: how many bytes it takes, then these, the highest first. */
export function encodeOrderedNumber(value: number): ByteKey {
  const digits: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return String.fromCharCode(digits.length, ...digits);
}

/**
 * A signed number in one to ten bytes, the highest first. As many leading bits as there are bytes repeat the sign, set
 * for a number that is not negative; the bit after them is its opposite.
 */
export function encodeOrderedSigned(value: number): ByteKey {
  const number = BigInt(value);
  let length = 1;
  while (number !== BigInt.asIntN(7 * length, number)) length++;
  const bits = 8n * BigInt(length);
  // The sign and as many bits as there are more bytes, at the top: set for numbers that are not negative.
  const header = ((1n << BigInt(length)) - 1n) << (bits - BigInt(length));
  const magnitude = BigInt.asUintN(Number(bits), number);
  let rest = value < 0 ? magnitude & ~header : magnitude | header;
  let encoded = "";
  for (let index = 0; index < length; index++, rest >>= 8n) {
    encoded = String.fromCharCode(Number(rest & 0xffn)) + encoded;
  }
  return encoded;
}
