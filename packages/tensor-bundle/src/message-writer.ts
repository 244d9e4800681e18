/** Collects the bytes of one protobuf message or of a part of a table. */
export class MessageWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far; a view that further writing may leave behind. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  writeBytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A non-negative whole number up to 2^53. */
  writeVarint(value: number): this {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#length++] = rest;
    return this;
  }

  writeUint32(value: number): this {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = value >>> shift;
    return this;
  }

  /** A number field; proto3 leaves out a zero. */
  writeInteger(field: number, value: number): this {
    return value === 0 ? this : this.writeVarint(field * 8).writeVarint(value);
  }

  writeFixed32(field: number, value: number): this {
    return this.writeVarint(field * 8 + 5).writeUint32(value);
  }

  /** A field of text, bytes or a message, written even when empty. */
  writeField(field: number, content: Uint8Array | string | MessageWriter): this {
    const bytes =
      typeof content === "string"
        ? new TextEncoder().encode(content)
        : content instanceof MessageWriter
          ? content.finish()
          : content;
    return this.writeVarint(field * 8 + 2)
      .writeVarint(bytes.length)
      .writeBytes(bytes);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.finish());
    this.#bytes = larger;
  }
}
