/** A piece of a text: what it is and its letters, or for a quoted text the bytes it stands for. */
export type TextToken =
  | { readonly kind: "word" | "number" | "mark"; readonly text: string }
  | { readonly kind: "quoted"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

/** Where a text breaks the rules: 1-based line and column. */
export class TextSyntaxError extends Error {}

const backslash = 0x5c;
const lineFeed = 0x0a;

/** What follows a `\` and the byte that both stand for; digits, `x`, `u` and `U` are read apart. */
const namedEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  "'": 39,
  "?": 63,
  "\\": backslash,
};

/**
 * Takes protobuf's text format apart, from its bytes: with weights in it, it is longer than a string can be. White space
 * and comments from `#` to the end of the line are passed over; quoted texts that follow each other are one.
 */
export class TextScanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  #start = 0;
  #next: TextToken | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The token that {@link take} gives next. */
  peek(): TextToken {
    this.#next ??= this.#scan();
    return this.#next;
  }

  take(): TextToken {
    const token = this.peek();
    this.#next = undefined;
    return token;
  }

  /** Takes the next token if it is this mark. */
  takeMark(mark: string): boolean {
    const token = this.peek();
    if (token.kind !== "mark" || token.text !== mark) return false;
    this.#next = undefined;
    return true;
  }

  /** An error that names the place of the token looked at or taken last. */
  error(message: string): TextSyntaxError {
    let line = 1;
    let lineStart = 0;
    for (let at = 0; at < this.#start; at++) {
      if (this.#bytes[at] !== lineFeed) continue;
      line += 1;
      lineStart = at + 1;
    }
    return new TextSyntaxError(`line ${line}, column ${this.#start - lineStart + 1}: ${message}`);
  }

  #scan(): TextToken {
    this.#skipSpace();
    this.#start = this.#at;
    if (this.#at >= this.#bytes.length) return { kind: "end" };
    const letter = this.#letter();
    if (letter === '"' || letter === "'") return { kind: "quoted", bytes: this.#scanQuoted() };
    if (/[A-Za-z_]/.test(letter)) return { kind: "word", text: this.#scanWhile(/[A-Za-z0-9_]/) };
    const isNumber = /[0-9]/.test(letter) || (letter === "." && /[0-9]/.test(this.#letter(1)));
    if (isNumber) return { kind: "number", text: this.#scanNumber() };
    this.#at += 1;
    return { kind: "mark", text: letter };
  }

  #letter(ahead: number = 0): string {
    const byte = this.#bytes[this.#at + ahead];
    return byte === undefined ? "" : String.fromCodePoint(byte);
  }

  #skipSpace(): void {
    for (; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at] ?? 0;
      if (byte === 0x23) {
        const end = this.#bytes.indexOf(lineFeed, this.#at);
        this.#at = end === -1 ? this.#bytes.length : end;
      } else if (byte !== 0x20 && !(byte >= 9 && byte <= 13)) return;
    }
  }

  #scanWhile(letters: RegExp): string {
    const start = this.#at;
    while (this.#at < this.#bytes.length && letters.test(this.#letter())) this.#at += 1;
    return String.fromCodePoint(...this.#bytes.subarray(start, this.#at));
  }

  #scanNumber(): string {
    let text = this.#scanWhile(/[A-Za-z0-9_.]/);
    // The sign of an exponent; a hexadecimal number may end in an e as well.
    if (/^[0-9.]+[eE]$/.test(text) && /[+-]/.test(this.#letter())) {
      text += this.#letter();
      this.#at += 1;
      text += this.#scanWhile(/[0-9fF]/);
    }
    return text;
  }

  #scanQuoted(): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let quote = this.#letter(); quote === '"' || quote === "'"; quote = this.#letter()) {
      pieces.push(this.#scanPiece(quote.charCodeAt(0)));
      this.#skipSpace();
    }
    return pieces.length === 1 ? (pieces[0] ?? new Uint8Array()) : Buffer.concat(pieces);
  }

  #scanPiece(quote: number): Uint8Array {
    this.#at += 1;
    let end = this.#at;
    for (let byte = this.#bytes[end]; byte !== quote; byte = this.#bytes[end]) {
      if (byte === undefined || byte === lineFeed) throw this.error("a quoted text without an end");
      end += byte === backslash ? 2 : 1;
    }
    const piece = new Uint8Array(end - this.#at);
    let length = 0;
    while (this.#at < end) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      if (byte !== backslash) piece[length++] = byte;
      else for (const escaped of this.#scanEscape()) piece[length++] = escaped;
    }
    this.#at = end + 1;
    return piece.subarray(0, length);
  }

  /** The bytes that an escape stands for; never more than it is long. */
  #scanEscape(): readonly number[] | Uint8Array {
    const letter = this.#letter();
    const named = namedEscapes[letter];
    if (named !== undefined) {
      this.#at += 1;
      return [named];
    }
    if (/[0-7]/.test(letter)) return [Number.parseInt(this.#scanDigits(/[0-7]/, 3), 8) & 0xff];
    this.#at += 1;
    const digits = { x: 2, X: 2, u: 4, U: 8 }[letter];
    const code = digits === undefined ? Number.NaN : Number.parseInt(this.#scanDigits(/[0-9A-Fa-f]/, digits), 16);
    if (Number.isNaN(code) || code > 0x10_ff_ff) throw this.error(`\\${letter} is no escape`);
    return digits === 2 ? [code] : new TextEncoder().encode(String.fromCodePoint(code));
  }

  #scanDigits(digit: RegExp, most: number): string {
    let text = "";
    while (text.length < most && digit.test(this.#letter())) {
      text += this.#letter();
      this.#at += 1;
    }
    return text;
  }
}
