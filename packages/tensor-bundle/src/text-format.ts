import { damaged } from "./damaged.js";

/** One field of a flat message in protobuf's text format; text is bytes, everything else is as it stands. */
export interface TextField {
  readonly name: string;
  readonly value: Uint8Array | string;
}

const separator = /[\s,;]+|#[^\n]*/y;
const fieldName = /[A-Za-z_]\w*/y;
const scalar = /[-+.\w]+/y;
const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Parses a message whose fields are scalars: `name: value`, separated by white space, commas or semicolons, with `#`
 * comments. Text stands in either kind of quotes, in one piece or several, with the escapes of C.
 *
 * @throws {CkptError} BUNDLE_INVALID naming the line; also for a message within the message.
 */
export function parseTextFields(text: string, path: string): readonly TextField[] {
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match !== null) position = pattern.lastIndex;
    return match;
  };
  const skipSeparators = (): void => {
    while (take(separator) !== null);
  };
  const expected = (what: string): Error => {
    const line = text.slice(0, position).split("\n").length;
    return damaged(path, `line ${line}: expected ${what}`);
  };
  const takeValue = (): TextField["value"] => {
    const pieces: Buffer[] = [];
    while (text[position] === '"' || text[position] === "'") {
      const end = findQuote(text, position);
      if (end === undefined) throw expected("text that ends on its line");
      const bytes = unescapeText(text.slice(position + 1, end));
      if (bytes === undefined) throw expected("escapes as in C");
      pieces.push(bytes);
      position = end + 1;
      skipSeparators();
    }
    if (pieces.length > 0) return Buffer.concat(pieces);
    const match = take(scalar);
    if (match === null) throw expected("a number, a name or text in quotes");
    return match[0];
  };

  const fields: TextField[] = [];
  skipSeparators();
  while (position < text.length) {
    const name = take(fieldName);
    if (name === null) throw expected("the name of a field");
    skipSeparators();
    if (text[position++] !== ":") throw expected(`a colon after ${name[0]}`);
    skipSeparators();
    fields.push({ name: name[0], value: takeValue() });
    skipSeparators();
  }
  return fields;
}

/** Where the quoted text that begins at `start` ends; `undefined` when it does not on its line. */
function findQuote(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === text[start]) return at;
    if (text[at] === "\\") at++;
  }
  return undefined;
}

const escape = /\\(?:([0-7]{1,3})|[xX]([\da-fA-F]{1,2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([abfnrtv"'\\?])|())/g;

/** The bytes of a quoted text; `undefined` when an escape has no meaning. */
function unescapeText(text: string): Buffer | undefined {
  const pieces: Buffer[] = [];
  let position = 0;
  for (const match of text.matchAll(escape)) {
    const [all, octal, hex, short, long, simple] = match;
    const code = Number.parseInt(octal ?? hex ?? short ?? long ?? "0", octal === undefined ? 16 : 8);
    if (simple === undefined && octal === undefined && hex === undefined && short === undefined && long === undefined) {
      return undefined;
    }
    if (code > 0x10ffff || (octal !== undefined && code > 255)) return undefined;
    pieces.push(Buffer.from(text.slice(position, match.index)));
    if (simple !== undefined) pieces.push(Buffer.from(simpleEscapes[simple] ?? simple));
    else if (octal !== undefined || hex !== undefined) pieces.push(Buffer.from([code]));
    else pieces.push(Buffer.from(String.fromCodePoint(code)));
    position = match.index + all.length;
  }
  pieces.push(Buffer.from(text.slice(position)));
  return Buffer.concat(pieces);
}

/** Text in double quotes, on one line, in ASCII: other bytes of its UTF-8 are octal. */
export function quoteText(text: string): string {
  const escaped = Array.from(Buffer.from(text), (byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    if (byte === 0x0a) return "\\n";
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
