import type { z } from "zod";

import { digestBytes } from "./digest.js";
import type { Issue } from "./error-details.js";
import { CkptError } from "./errors.js";

/** What every document on disk begins with. */
export interface DocumentHeader<Kind extends string> {
  readonly kind: Kind;
  readonly schemaVersion: number;
}

/** A document as it is read: its content and the SHA-256 over that content, which is the document's identity. */
export type Sealed<Content> = Content & { readonly digest: string };

/** How one kind of document is named, checked and versioned. */
export interface DocumentType<Content extends DocumentHeader<string>> {
  readonly kind: Content["kind"];
  /** The newest schema version this code reads and the one it writes. */
  readonly schemaVersion: number;
  readonly schema: z.ZodType<Content>;
}

/**
 * Serializes a document in its canonical form: JSON in the order of the fields, indented by two spaces, with a final
 * line feed, and sealed by a last field `digest`, the SHA-256 of the same content without it and without white space.
 * So a document is evidence of itself: any changed, lost or added byte is found when it is read. A `digest` that
 * `content` has from being read is replaced.
 *
 * @throws {TypeError} When a number is not finite: JSON has no such number, and the reader would refuse the document.
 */
export function serializeDocument(content: DocumentHeader<string>): string {
  return formatDocument(seal(content));
}

/**
 * Reads a document back; the reverse of {@link serializeDocument}. Fields the schema does not know are allowed, so
 * that a newer writer of the same version stays readable; they count in the digest.
 *
 * @param path - Named in errors.
 * @throws {CkptError} MANIFEST_INVALID when `text` is not JSON, of another kind, breaks the schema, is not in canonical
 *   form or its digest differs; SCHEMA_TOO_NEW when a newer ckpt wrote it.
 */
export function parseDocument<Content extends DocumentHeader<string>>(
  type: DocumentType<Content>,
  text: string,
  path: string,
): Sealed<Content> {
  const raw = parseSealedJson(text, path, formatDocument);
  const found = raw["schemaVersion"];
  if (raw["kind"] !== type.kind) {
    throw invalid(path, [{ path: "kind", message: `expected "${type.kind}", found ${JSON.stringify(raw["kind"])}` }]);
  }
  if (typeof found === "number" && found > type.schemaVersion) {
    throw new CkptError("SCHEMA_TOO_NEW", { path, found, supported: type.schemaVersion });
  }
  return parseSealed(type.schema, raw, path);
}

/**
 * Serializes one line of a `.jsonl` file, sealed like a document, with its line feed.
 *
 * @throws {TypeError} As {@link serializeDocument} does.
 */
export function serializeLine(content: object): string {
  return `${JSON.stringify(seal(content))}\n`;
}

/**
 * Reads one line, given without its line feed; the reverse of {@link serializeLine}.
 *
 * @throws {CkptError} MANIFEST_INVALID as {@link parseDocument} does.
 */
export function parseLine<Content>(schema: z.ZodType<Content>, line: string, path: string): Sealed<Content> {
  return parseSealed(schema, parseSealedJson(line, path, JSON.stringify), path);
}

function seal(content: object): Sealed<Record<string, unknown>> {
  const { digest: _, ...unsealed } = content as Record<string, unknown>;
  return { ...unsealed, digest: digestBytes(JSON.stringify(unsealed, refuseNotFinite)) };
}

function formatDocument(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** JSON.stringify would write `null` in its place. */
function refuseNotFinite(key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new TypeError(`${key}: ${value} is not a JSON number`);
  return value;
}

function parseSealedJson(text: string, path: string, format: (value: unknown) => string): Record<string, unknown> {
  let found: unknown;
  let sealed: Sealed<Record<string, unknown>>;
  let canonical: string;
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw !== "object" || raw === null || Array.isArray(raw))
      throw new SyntaxError("it is another JSON value");
    found = (raw as { digest?: unknown }).digest;
    sealed = seal(raw);
    canonical = format(sealed);
  } catch (cause) {
    // A SyntaxError; a RangeError where the nesting is deeper than the stack; a TypeError for a number like 1e999.
    throw invalid(path, [{ path: "", message: `not a JSON object: ${(cause as Error).message}` }]);
  }
  if (found !== sealed.digest) {
    throw invalid(path, [
      { path: "digest", message: `the content has SHA-256 ${sealed.digest}, the field says ${JSON.stringify(found)}` },
    ]);
  }
  if (canonical !== text) {
    throw invalid(path, [{ path: "", message: "not in canonical form: white space, escapes or order were changed" }]);
  }
  return sealed;
}

function parseSealed<Content>(schema: z.ZodType<Content>, raw: Record<string, unknown>, path: string): Sealed<Content> {
  const result = schema.safeParse(raw);
  if (!result.success) {
    throw invalid(
      path,
      result.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })),
    );
  }
  return { ...result.data, digest: raw["digest"] as string };
}

function invalid(path: string, issues: readonly Issue[]): CkptError<"MANIFEST_INVALID"> {
  return new CkptError("MANIFEST_INVALID", { path, issues });
}
