import { ByteReader } from "./byte-reader.js";
import { crc32c, maskCrc } from "./crc32c.js";
import { damaged } from "./damaged.js";
import { MessageWriter } from "./message-writer.js";

/** The values of a string tensor as they are stored, or read. */
interface StringValues {
  readonly values: readonly Uint8Array[];
  /** CRC of the whole, not masked: over the lengths as integers, their checksum and the bytes. */
  readonly crc: number;
}

/**
 * Takes the strings out of a tensor's bytes: all lengths, a checksum of them, all bytes. Values are views.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function parseStrings(bytes: Uint8Array, count: number, path: string): StringValues {
  // Every string takes a byte for its length at least.
  if (count > bytes.length) throw damaged(path, `${bytes.length} bytes for ${count} strings`);
  const reader = new ByteReader(bytes, path);
  const lengths = Array.from({ length: count }, () => reader.readSize());
  const lengthsCrc = lengths.reduce((crc, length) => crc32c(lengthBytes(length), crc), 0);
  const checksum = reader.readBytes(4);
  if (new ByteReader(checksum, path).readUint32() !== maskCrc(lengthsCrc)) {
    throw damaged(path, "the checksum of the lengths of strings does not match");
  }
  const values = lengths.map((length) => reader.readBytes(length));
  if (!reader.isAtEnd) throw damaged(path, "bytes after the last string");
  const crc = values.reduce((crc, value) => crc32c(value, crc), crc32c(checksum, lengthsCrc));
  return { values, crc };
}

/** The bytes of a string tensor, and their CRC as {@link parseStrings} has it. */
export function serializeStrings(values: readonly Uint8Array[]): { readonly bytes: Uint8Array; readonly crc: number } {
  const writer = new MessageWriter();
  let crc = 0;
  for (const { length } of values) {
    writer.writeVarint(length);
    crc = crc32c(lengthBytes(length), crc);
  }
  const checksum = new MessageWriter().writeUint32(maskCrc(crc)).finish();
  writer.writeBytes(checksum);
  crc = crc32c(checksum, crc);
  for (const value of values) {
    writer.writeBytes(value);
    crc = crc32c(value, crc);
  }
  return { bytes: writer.finish(), crc };
}

/** A length as the checksum sees it: four bytes, eight from 2^32. */
function lengthBytes(length: number): Uint8Array {
  const writer = new MessageWriter().writeUint32(length);
  return (length < 2 ** 32 ? writer : writer.writeUint32(Math.floor(length / 2 ** 32))).finish();
}
