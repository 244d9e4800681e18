import { damaged } from "./damaged.js";

/** Reads little-endian numbers, varints and byte strings one after the other, never beyond the end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** The file the bytes are of, for errors. */
  readonly path: string;
  position = 0;
  /** The lower and the upper half of the varint read last, as unsigned numbers. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array, path: string) {
    this.bytes = bytes;
    this.path = path;
  }

  get isAtEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  /**
   * Reads a varint of up to 64 bits into `low` and `high`.
   *
   * @throws {CkptError} BUNDLE_INVALID when it does not end in time.
   */
  readVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) break;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw damaged(this.path, "a number is cut off");
  }

  /**
   * Reads a varint as a signed 64-bit number, which has to be one that JavaScript holds exactly.
   *
   * @throws {CkptError} BUNDLE_INVALID.
   */
  readInteger(): number {
    this.readVarint();
    const isNegative = this.high >= 0x80000000;
    const value = isNegative ? -((~this.high >>> 0) * 2 ** 32 + (~this.low >>> 0) + 1) : this.high * 2 ** 32 + this.low;
    if (!Number.isSafeInteger(value)) throw damaged(this.path, "a number is beyond 53 bits");
    return value;
  }

  /**
   * Reads a varint that is a count, a size or an offset.
   *
   * @throws {CkptError} BUNDLE_INVALID.
   */
  readSize(): number {
    const value = this.readInteger();
    if (value < 0) throw damaged(this.path, `a size is ${value}`);
    return value;
  }

  /**
   * A view of the next `length` bytes.
   *
   * @throws {CkptError} BUNDLE_INVALID when there are fewer.
   */
  readBytes(length: number): Uint8Array {
    const start = this.position;
    if (length > this.bytes.length - start) {
      throw damaged(this.path, `${length} bytes expected where ${this.bytes.length - start} are left`);
    }
    this.position = start + length;
    return this.bytes.subarray(start, this.position);
  }

  /** @throws {CkptError} BUNDLE_INVALID when fewer than four bytes are left. */
  readUint32(): number {
    const [a, b, c, d] = this.readBytes(4) as Uint8Array & [number, number, number, number];
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }
}
