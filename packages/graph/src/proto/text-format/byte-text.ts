import { requireReadable } from "../split-message.js";

const chunkBytes = 1 << 20;

/** What stands for each byte in a quoted text: itself, a letter behind `\`, or three octal digits. */
const escapes: readonly Uint8Array[] = Array.from({ length: 256 }, (_, byte) => encodeAscii(escapeByte(byte)));
/** Bytes of the longest escape. */
const escapedBytes = 4;

function escapeByte(byte: number): string {
  const named: Readonly<Record<number, string>> = { 9: "t", 10: "n", 13: "r", 34: '"', 39: "'", 92: "\\" };
  const name = named[byte];
  if (name !== undefined) return `\\${name}`;
  return byte >= 0x20 && byte < 0x7f ? String.fromCodePoint(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
}

function encodeAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** A growing text of ASCII letters, held as bytes: a model's weights make one longer than a string can be. */
export class ByteText {
  readonly #full: Uint8Array[] = [];
  #chunk = new Uint8Array(chunkBytes);
  #length = 0;

  /** Adds ASCII text, shorter than a chunk. */
  append(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) this.#chunk[this.#length++] = text.charCodeAt(at);
  }

  /** Adds bytes between quotes, escaped as protobuf does. */
  appendQuoted(bytes: Uint8Array): void {
    this.append('"');
    for (const byte of bytes) {
      this.#reserve(escapedBytes);
      for (const letter of escapes[byte] ?? []) this.#chunk[this.#length++] = letter;
    }
    this.append('"');
  }

  /**
   * All of it, in parts.
   *
   * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB; `format` is named in it.
   */
  finish(format: string): readonly Uint8Array[] {
    return requireReadable([...this.#full, this.#chunk.subarray(0, this.#length)], format);
  }

  #reserve(count: number): void {
    if (this.#length + count <= chunkBytes) return;
    this.#full.push(this.#chunk.subarray(0, this.#length));
    this.#chunk = new Uint8Array(Math.max(chunkBytes, count));
    this.#length = 0;
  }
}
