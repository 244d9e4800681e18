/**
 * A key of a table: bytes, held as a string with one character (0 to 255) a byte. Comparing such strings compares the
 * bytes, which is the order of a table, and they can be keys of a `Map`.
 */
export type ByteKey = string;

/** The characters of the bytes. */
export function toByteKey(bytes: Uint8Array): ByteKey {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The key of a name, which stands in a table as UTF-8. */
export function encodeKey(name: string): ByteKey {
  return Buffer.from(name, "utf8").toString("latin1");
}

/** The bytes of a key. */
export function keyBytes(key: ByteKey): Uint8Array {
  return Buffer.from(key, "latin1");
}
