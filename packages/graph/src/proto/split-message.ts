import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { CkptError } from "@ckpt/manifest";

/** The most that protobuf's libraries read as one message. */
const maxMessageBytes: number = 2 ** 31 - 1;

/** Bytes fields from this size on become parts of their own. */
const splitBytes = 4096;

/**
 * The bytes that `toBinary` makes of a message, in parts. Large bytes fields are parts of their own and views of the
 * message: `toBinary` copies them once for every level that they are nested in.
 *
 * @param format - Named in the error.
 * @throws {CkptError} FORMAT_TOO_LARGE when they are more than protobuf's libraries can read.
 */
export function splitMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  format: string,
): readonly Uint8Array[] {
  return requireReadable(split(schema, message), format);
}

/**
 * Passes on the parts of a message that protobuf's libraries can read.
 *
 * @throws {CkptError} FORMAT_TOO_LARGE when it has more than 2 GiB; `format` is named in it.
 */
export function requireReadable(parts: readonly Uint8Array[], format: string): readonly Uint8Array[] {
  const sizeBytes = sumSizes(parts);
  if (sizeBytes <= maxMessageBytes) return parts;
  throw new CkptError("FORMAT_TOO_LARGE", { format, sizeBytes, limitBytes: maxMessageBytes });
}

/** Puts parts together. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(sumSizes(parts));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.byteLength;
  }
  return joined;
}

/** Bytes of all parts. */
export function sumSizes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

type Fields = Readonly<Record<string, unknown>>;

function split(schema: DescMessage, message: Message): Uint8Array[] {
  if (!isLarge(message)) return [toBinary(schema, message)];
  const fields = schema.fields.toSorted((a, b) => a.number - b.number);
  const values = message as unknown as Fields;
  const parts = fields.flatMap((field) => splitField(schema, field, values));
  const { $unknown } = message;
  return $unknown === undefined ? parts : [...parts, encode(schema, { $unknown })];
}

function splitField(schema: DescMessage, field: DescField, values: Fields): Uint8Array[] {
  const key = field.oneof?.localName ?? field.localName;
  const held = values[key];
  const isOther = field.oneof !== undefined && (held as { readonly case?: string }).case !== field.localName;
  if (held === undefined || isOther) return [];
  const value = field.oneof === undefined ? held : (held as { readonly value: unknown }).value;
  const whole = (): Uint8Array[] => [encode(schema, { [key]: held })];
  if (!isLarge(value)) return whole();
  if (field.fieldKind === "scalar") return frame(field.number, [value as Uint8Array]);
  if (field.fieldKind === "message") return frame(field.number, split(field.message, value as Message));
  if (field.fieldKind === "list" && field.listKind === "message") {
    const { message } = field;
    return (value as readonly Message[]).flatMap((item) => frame(field.number, split(message, item)));
  }
  if (field.fieldKind === "map" && field.mapKind === "message") {
    const { message } = field;
    return Object.entries(value as Readonly<Record<string, Message>>).flatMap(([name, item]) => {
      // A map is a list of messages of a key (1) and a value (2).
      const entryKey = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name).finish();
      return frame(field.number, [entryKey, ...frame(2, split(message, item))]);
    });
  }
  return whole();
}

/** Whether a large bytes field is somewhere in a value. */
function isLarge(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.byteLength >= splitBytes;
  if (typeof value !== "object" || value === null) return false;
  // A list of numbers has nothing to look into.
  if (Array.isArray(value) && typeof value[0] !== "object") return false;
  return Object.values(value).some(isLarge);
}

function encode(schema: DescMessage, fields: Fields): Uint8Array {
  return toBinary(schema, Object.assign(create(schema), fields));
}

function frame(fieldNumber: number, parts: readonly Uint8Array[]): Uint8Array[] {
  // A length above 4 GiB has no 32 bits, and is refused only when all parts are there.
  const header = new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).uint64(sumSizes(parts)).finish();
  return [header, ...parts];
}
