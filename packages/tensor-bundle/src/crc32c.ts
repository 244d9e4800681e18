const sliceBytes = 16;
/** Tables for sixteen bytes at a time: entry `256 * k + b` is the CRC of byte `b` followed by `k` zero bytes. */
const tables = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(256 * sliceBytes);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    made[byte] = crc;
  }
  for (let index = 256; index < made.length; index++) {
    const before = made[index - 256]!;
    made[index] = (before >>> 8) ^ made[before & 0xff]!;
  }
  return made;
}

/**
 * CRC-32C (Castagnoli) as an unsigned number; `previous` is the CRC of the bytes before these, by default of none.
 * Not the polynomial of `zlib.crc32`.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const t = tables;
  const { length } = bytes;
  let crc = ~previous;
  let at = 0;
  for (const end = length - (length % sliceBytes); at < end; at += sliceBytes) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t[3840 + (crc & 0xff)]! ^
      t[3584 + ((crc >>> 8) & 0xff)]! ^
      t[3328 + ((crc >>> 16) & 0xff)]! ^
      t[3072 + (crc >>> 24)]! ^
      t[2816 + bytes[at + 4]!]! ^
      t[2560 + bytes[at + 5]!]! ^
      t[2304 + bytes[at + 6]!]! ^
      t[2048 + bytes[at + 7]!]! ^
      t[1792 + bytes[at + 8]!]! ^
      t[1536 + bytes[at + 9]!]! ^
      t[1280 + bytes[at + 10]!]! ^
      t[1024 + bytes[at + 11]!]! ^
      t[768 + bytes[at + 12]!]! ^
      t[512 + bytes[at + 13]!]! ^
      t[256 + bytes[at + 14]!]! ^
      t[bytes[at + 15]!]!;
  }
  for (; at < length; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** The form in which TensorFlow stores a CRC beside the bytes it covers: a CRC over a CRC would be weak. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
