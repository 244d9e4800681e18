import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";

import { TextScanner, type TextToken } from "./text-scanner.js";

/**
 * Reads a message in protobuf's text format, in any of the ways it may be written: with or without `:` before a message,
 * `<>` for `{}`, lists in `[]`, `,` or `;` between fields, comments. What the schema does not have is passed over, as in
 * binary messages: a schema may be a part of the format's own.
 *
 * @throws {TextSyntaxError} naming line and column.
 */
export function parseText<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  const scanner = new TextScanner(bytes);
  return parseFields(scanner, schema, "") as MessageShape<Desc>;
}

type Fields = Record<string, unknown>;

/** Reads fields up to `end`, a closing bracket, or up to the end of the text where it is empty. */
function parseFields(scanner: TextScanner, schema: DescMessage, end: string): Fields {
  const message = create(schema) as unknown as Fields;
  const seen = new Set<DescField>();
  forEachField(scanner, end, (name) => {
    const field = schema.fields.find((each) => each.name === name);
    if (field === undefined) {
      skipValue(scanner);
      return;
    }
    const isRepeated = field.fieldKind === "list" || field.fieldKind === "map";
    if (!isRepeated && seen.has(field)) throw scanner.error(`${schema.name}.${name} is there twice`);
    seen.add(field);
    for (const value of parseValues(scanner, field)) setField(message, field, value);
  });
  return message;
}

function forEachField(scanner: TextScanner, end: string, read: (name: string) => void): void {
  for (;;) {
    const isEnd = end === "" ? scanner.peek().kind === "end" : scanner.takeMark(end);
    if (isEnd) return;
    const token = scanner.take();
    if (token.kind === "mark" && token.text === "[") skipExtensionName(scanner);
    else if (token.kind !== "word") throw scanner.error(`expected a field, found ${describe(token)}`);
    read(token.kind === "word" ? token.text : "");
    if (!scanner.takeMark(",")) scanner.takeMark(";");
  }
}

function setField(message: Fields, field: DescField, value: unknown): void {
  if (field.fieldKind === "list") (message[field.localName] as unknown[]).push(value);
  else if (field.fieldKind === "map") {
    const [key, item] = value as readonly [string, unknown];
    (message[field.localName] as Fields)[key] = item;
  } else if (field.oneof === undefined) message[field.localName] = value;
  else message[field.oneof.localName] = { case: field.localName, value };
}

/** The value behind a field's name, or the values of a list. */
function parseValues(scanner: TextScanner, field: DescField): readonly unknown[] {
  const hasColon = scanner.takeMark(":");
  const isList = (field.fieldKind === "list" || field.fieldKind === "map") && scanner.takeMark("[");
  if (!isList) return [parseValue(scanner, field, hasColon)];
  const values: unknown[] = [];
  while (!scanner.takeMark("]")) {
    values.push(parseValue(scanner, field, true));
    const token = scanner.peek();
    if (!scanner.takeMark(",") && !(token.kind === "mark" && token.text === "]")) {
      throw scanner.error(`expected , or ], found ${describe(token)}`);
    }
  }
  return values;
}

function parseValue(scanner: TextScanner, field: DescField, hasColon: boolean): unknown {
  if (field.fieldKind === "map") return parseEntry(scanner, field);
  if (field.message !== undefined) return parseFields(scanner, field.message, takeOpening(scanner));
  if (!hasColon) throw scanner.error(`expected : behind ${field.name}`);
  return parseScalar(scanner, field.enum ?? field.scalar ?? ScalarType.STRING);
}

/** An entry of a map; a key or a value that is left out is empty or zero. */
function parseEntry(scanner: TextScanner, field: DescField & { fieldKind: "map" }): readonly [string, unknown] {
  let key: unknown = field.mapKey === ScalarType.STRING ? "" : 0;
  let value: unknown;
  forEachField(scanner, takeOpening(scanner), (name) => {
    scanner.takeMark(":");
    if (name === "key") key = parseScalar(scanner, field.mapKey);
    else if (name !== "value") skipValue(scanner);
    else if (field.message === undefined) value = parseScalar(scanner, field.enum ?? field.scalar ?? ScalarType.STRING);
    else value = parseFields(scanner, field.message, takeOpening(scanner));
  });
  return [String(key), value ?? zeroOf(field)];
}

function zeroOf(field: DescField & { fieldKind: "map" }): unknown {
  if (field.mapKind === "message") return create(field.message);
  return field.mapKind === "enum" ? (field.enum.values[0]?.number ?? 0) : scalarZeroValue(field.scalar, false);
}

/** Takes the bracket that a message begins with and gives the one that it ends with. */
function takeOpening(scanner: TextScanner): "}" | ">" {
  if (scanner.takeMark("{")) return "}";
  if (scanner.takeMark("<")) return ">";
  throw scanner.error(`expected {, found ${describe(scanner.peek())}`);
}

function parseScalar(scanner: TextScanner, type: ScalarType | DescEnum): unknown {
  const isNegative = scanner.takeMark("-");
  const token = scanner.take();
  const refuse = (expected: string): Error => scanner.error(`expected ${expected}, found ${describe(token)}`);
  if (typeof type === "object") {
    const named = token.kind === "word" ? type.values.find(({ name }) => name === token.text)?.number : undefined;
    const number = named ?? (token.kind === "number" ? Number(token.text) : Number.NaN);
    if (!Number.isInteger(number)) throw refuse(`a value of ${type.name}`);
    return isNegative ? -number : number;
  }
  if (type === ScalarType.BYTES || type === ScalarType.STRING) {
    if (token.kind !== "quoted" || isNegative) throw refuse("a quoted text");
    return type === ScalarType.BYTES ? token.bytes : new TextDecoder().decode(token.bytes);
  }
  const text = token.kind === "word" || token.kind === "number" ? token.text : "";
  if (type === ScalarType.BOOL) {
    if (/^(?:true|True|t|1)$/.test(text)) return true;
    if (/^(?:false|False|f|0)$/.test(text)) return false;
    throw refuse("true or false");
  }
  if (type === ScalarType.FLOAT || type === ScalarType.DOUBLE) {
    const number = parseFloatText(text);
    if (number === undefined) throw refuse("a number");
    const signed = isNegative ? -number : number;
    return type === ScalarType.FLOAT ? Math.fround(signed) : signed;
  }
  const integer = parseInteger(text);
  if (integer === undefined) throw refuse("a whole number");
  const signed = isNegative ? -integer : integer;
  return isLong(type) ? signed : Number(signed);
}

function isLong(type: ScalarType): boolean {
  return [ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.FIXED64, ScalarType.SFIXED64].includes(
    type,
  );
}

function parseInteger(text: string): bigint | undefined {
  if (/^(?:[1-9][0-9]*|0|0x[0-9A-Fa-f]+)$/i.test(text)) return BigInt(text.toLowerCase());
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : undefined;
}

function parseFloatText(text: string): number | undefined {
  if (/^inf(?:inity)?f?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^nanf?$/i.test(text)) return Number.NaN;
  const number = Number(/^0x/i.test(text) ? text : text.replace(/f$/i, ""));
  return text === "" || Number.isNaN(number) ? undefined : number;
}

/** Passes over the value of a field that the schema does not have, whatever it is. */
function skipValue(scanner: TextScanner): void {
  scanner.takeMark(":");
  let depth = 0;
  do {
    const token = scanner.take();
    if (token.kind === "end") throw scanner.error("expected a value, found the end");
    if (token.kind !== "mark") continue;
    if (["{", "<", "["].includes(token.text)) depth += 1;
    else if (["}", ">", "]"].includes(token.text)) depth -= 1;
    // A sign: the number comes behind it.
    else if (token.text === "-" && depth === 0) scanner.take();
  } while (depth > 0);
}

function skipExtensionName(scanner: TextScanner): void {
  while (!scanner.takeMark("]")) {
    if (scanner.take().kind === "end") throw scanner.error("expected ], found the end");
  }
}

function describe(token: TextToken): string {
  if (token.kind === "end") return "the end";
  return token.kind === "quoted" ? "a quoted text" : token.text;
}
