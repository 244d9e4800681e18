import { extname } from "node:path";
import { pathToFileURL } from "node:url";

import { createJiti } from "jiti";

/**
 * What Node says of a TypeScript file that it cannot read itself: it strips types from 22.18 on, but not an enum, and it
 * does not look for `./data.ts` where TypeScript writes `./data.js`.
 */
const nodeCannotRead: ReadonlySet<string | undefined> = new Set([
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_MODULE_NOT_FOUND",
]);

/** Imports a file by its absolute path; TypeScript needs no build: Node itself where it can read the file, else jiti. */
export async function importModule(path: string): Promise<object> {
  try {
    return (await import(pathToFileURL(path).href)) as object;
  } catch (error) {
    const isTypeScript = /^\.[cm]?ts$/.test(extname(path));
    if (!isTypeScript || !nodeCannotRead.has((error as NodeJS.ErrnoException | undefined)?.code)) throw error;
    return createJiti(import.meta.url, { fsCache: false }).import<object>(path);
  }
}
