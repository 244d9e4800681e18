import { type ByteKey, keyBytes } from "./byte-key.js";
import { damaged } from "./damaged.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The name that is a key of a table.
 *
 * @throws {CkptError} BUNDLE_INVALID when it is not UTF-8.
 */
export function decodeKey(key: ByteKey, path: string): string {
  try {
    return decoder.decode(keyBytes(key));
  } catch {
    throw damaged(path, "a name is not UTF-8");
  }
}
