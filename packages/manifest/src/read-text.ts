import { readFile } from "node:fs/promises";

import { CkptError } from "./errors.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a text file, decoded by {@link decodeText}. Returns `undefined` when there is no such file.
 *
 * @throws {CkptError} FILE_SYSTEM when it cannot be read, and what {@link decodeText} throws.
 */
export async function readText(path: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
  return decodeText(bytes, path);
}

/**
 * Decodes UTF-8 so that different bytes give different texts: what is not UTF-8 is an error, not U+FFFD, which would
 * hide a damaged U+FFFD, and a byte order mark stays.
 *
 * @throws {CkptError} MANIFEST_INVALID when it is not UTF-8 or longer than a string can be.
 */
export function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const issues = [{ path: "", message: `not UTF-8 text: ${(cause as Error).message}` }];
    throw new CkptError("MANIFEST_INVALID", { path, issues }, { cause });
  }
}
