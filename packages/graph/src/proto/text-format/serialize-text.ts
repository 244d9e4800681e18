import {
  type DescEnum,
  type DescField,
  type DescMessage,
  isFieldSet,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";

import { ByteText } from "./byte-text.js";
import { formatFloat } from "./format-float.js";

type Scalar = string | number | bigint | boolean | Uint8Array;

/**
 * A message in protobuf's text format, in parts: a field a line, by field number, entries of maps by key, ASCII only. Fields that
 * the schema does not know are left out.
 *
 * Reference: "Text Format Language Specification" of Protocol Buffers.
 *
 * @param format - Named in the error.
 * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB.
 */
export function serializeText(schema: DescMessage, message: Message, format: string): readonly Uint8Array[] {
  const text = new ByteText();
  writeFields(text, schema, message, "");
  return text.finish(format);
}

function writeFields(text: ByteText, schema: DescMessage, message: Message, indent: string): void {
  for (const field of schema.fields.toSorted((a, b) => a.number - b.number)) {
    if (!isFieldSet(message, field)) continue;
    const fields = message as unknown as Readonly<Record<string, unknown>>;
    const held = fields[(field.oneof ?? field).localName];
    writeField(text, field, field.oneof === undefined ? held : (held as { readonly value: unknown }).value, indent);
  }
}

function writeField(text: ByteText, field: DescField, value: unknown, indent: string): void {
  if (field.fieldKind === "list") {
    for (const item of value as readonly unknown[]) {
      if (field.listKind === "message") writeMessage(text, field.name, field.message, item as Message, indent);
      else writeScalar(text, field.name, field.listKind === "enum" ? field.enum : field.scalar, item as Scalar, indent);
    }
  } else if (field.fieldKind === "map") {
    const entries = Object.entries(value as Readonly<Record<string, unknown>>);
    for (const [key, item] of entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      writeBlock(text, field.name, indent, (inner) => {
        // The keys of a record are texts; of the types a key may have, only a text is quoted.
        if (field.mapKey === ScalarType.STRING) writeScalar(text, "key", field.mapKey, key, inner);
        else text.append(`${inner}key: ${key}\n`);
        if (field.mapKind === "message") writeMessage(text, "value", field.message, item as Message, inner);
        else writeScalar(text, "value", field.mapKind === "enum" ? field.enum : field.scalar, item as Scalar, inner);
      });
    }
  } else if (field.fieldKind === "message") {
    writeMessage(text, field.name, field.message, value as Message, indent);
  } else {
    writeScalar(text, field.name, field.fieldKind === "enum" ? field.enum : field.scalar, value as Scalar, indent);
  }
}

function writeMessage(text: ByteText, name: string, schema: DescMessage, message: Message, indent: string): void {
  writeBlock(text, name, indent, (inner) => writeFields(text, schema, message, inner));
}

function writeBlock(text: ByteText, name: string, indent: string, write: (inner: string) => void): void {
  text.append(`${indent}${name} {\n`);
  write(`${indent}  `);
  text.append(`${indent}}\n`);
}

function writeScalar(text: ByteText, name: string, type: ScalarType | DescEnum, value: Scalar, indent: string): void {
  text.append(`${indent}${name}: `);
  if (typeof type === "object") text.append(type.value[Number(value)]?.name ?? String(value));
  else if (typeof value === "string") text.appendQuoted(new TextEncoder().encode(value));
  else if (value instanceof Uint8Array) text.appendQuoted(value);
  else if (type === ScalarType.FLOAT) text.append(formatFloat(Number(value), "float"));
  else if (type === ScalarType.DOUBLE) text.append(formatFloat(Number(value), "double"));
  else text.append(String(value));
  text.append("\n");
}
