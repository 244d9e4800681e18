import { type DocumentHeader, type DocumentType, parseDocument, type Sealed } from "./document.js";
import { CkptError } from "./errors.js";
import { readText } from "./read-text.js";

/**
 * Reads and checks a document file.
 *
 * @throws {CkptError} MANIFEST_MISSING when there is no such file, FILE_SYSTEM when it cannot be read, and what
 *   {@link parseDocument} throws.
 */
export async function readDocument<Content extends DocumentHeader<string>>(
  type: DocumentType<Content>,
  path: string,
): Promise<Sealed<Content>> {
  const text = await readText(path);
  if (text === undefined) throw new CkptError("MANIFEST_MISSING", { path });
  return parseDocument(type, text, path);
}
