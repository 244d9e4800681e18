import { ByteReader } from "./byte-reader.js";
import { damaged } from "./damaged.js";

const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the fields of one protobuf message. Each turn of a loop over {@link MessageReader.next} takes the field by one
 * of the other methods. Checkpoints need a dozen tiny messages whose arrays belong in typed arrays, so they are read here
 * without generated code.
 */
export class MessageReader {
  readonly #reader: ByteReader;
  #wireType = 0;

  constructor(bytes: Uint8Array, path: string) {
    this.#reader = new ByteReader(bytes, path);
  }

  get path(): string {
    return this.#reader.path;
  }

  /** Whether the field at hand is a length and bytes: a message, text, or a packed array. */
  get isBytes(): boolean {
    return this.#wireType === wireTypes.bytes;
  }

  /**
   * The number of the next field, 0 at the end.
   *
   * @throws {CkptError} BUNDLE_INVALID, as all methods here.
   */
  next(): number {
    if (this.#reader.isAtEnd) return 0;
    const tag = this.#reader.readSize();
    const field = Math.floor(tag / 8);
    if (field === 0) throw damaged(this.path, "a field has the number 0");
    this.#wireType = tag % 8;
    return field;
  }

  readInteger(): number {
    this.#expect(wireTypes.varint);
    return this.#reader.readInteger();
  }

  readSize(): number {
    this.#expect(wireTypes.varint);
    return this.#reader.readSize();
  }

  readFixed32(): number {
    this.#expect(wireTypes.fixed32);
    return this.#reader.readUint32();
  }

  readBytes(): Uint8Array {
    this.#expect(wireTypes.bytes);
    return this.#reader.readBytes(this.#reader.readSize());
  }

  readText(): string {
    const bytes = this.readBytes();
    try {
      return decoder.decode(bytes);
    } catch {
      throw damaged(this.path, "a name is not UTF-8");
    }
  }

  readMessage(): MessageReader {
    return new MessageReader(this.readBytes(), this.path);
  }

  /** The bytes of the field's value whatever its type is; of a packed array, those of all its values. */
  readRaw(): Uint8Array {
    if (this.isBytes) return this.readBytes();
    const start = this.#reader.position;
    this.skip();
    return this.#reader.bytes.subarray(start, this.#reader.position);
  }

  skip(): void {
    switch (this.#wireType) {
      case wireTypes.varint:
        this.#reader.readVarint();
        break;
      case wireTypes.fixed64:
        this.#reader.readBytes(8);
        break;
      case wireTypes.bytes:
        this.readBytes();
        break;
      case wireTypes.fixed32:
        this.#reader.readBytes(4);
        break;
      default:
        throw damaged(this.path, `a field has the wire type ${this.#wireType}`);
    }
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw damaged(this.path, `a field has the wire type ${this.#wireType} instead of ${wireType}`);
    }
  }
}
