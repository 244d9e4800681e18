import { lstat, readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import { digestBytes, digestFile } from "./digest.js";
import { CkptError } from "./errors.js";
import type { FileEntry } from "./file-entry.js";
import { isInsidePath } from "./inside-path.js";

/**
 * Checks every listed file of a committed folder: there, inside the folder, of the size and digest listed. Returns all
 * that is wrong, in the order of the list; empty means that every byte is as it was committed. Files that are not
 * listed are no part of the folder and are passed over.
 */
export async function verifyFiles(folder: string, files: readonly FileEntry[]): Promise<readonly CkptError[]> {
  const problems: CkptError[] = [];
  for (const entry of files) {
    const problem = await checkFile(folder, entry, async (path) => (await digestFile(path)).sha256);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/**
 * Reads a listed file of a committed folder and checks it as {@link verifyFiles} does, on the very bytes that it returns.
 *
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH, UNSAFE_PATH or FILE_SYSTEM.
 */
export async function readVerifiedFile(folder: string, entry: FileEntry): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  const problem = await checkFile(folder, entry, async (path) => {
    bytes = await readFile(path);
    return digestBytes(bytes);
  });
  if (problem !== undefined) throw problem;
  return bytes;
}

async function checkFile(
  folder: string,
  entry: FileEntry,
  digest: (path: string) => Promise<string>,
): Promise<CkptError | undefined> {
  if (!isInsidePath(entry.path)) return new CkptError("UNSAFE_PATH", { path: folder, named: entry.path });
  const path = join(folder, ...entry.path.split("/"));
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink() || !(await isInside(folder, path))) {
      return new CkptError("UNSAFE_PATH", { path: folder, named: entry.path });
    }
    // A folder or a device; reading a named pipe would wait for ever.
    if (!found.isFile()) return new CkptError("FILE_MISSING", { path });
    if (found.size !== entry.sizeBytes) {
      return new CkptError("SIZE_MISMATCH", { path, expectedBytes: entry.sizeBytes, foundBytes: found.size });
    }
    const sha256 = await digest(path);
    return sha256 === entry.sha256
      ? undefined
      : new CkptError("DIGEST_MISMATCH", { path, expected: entry.sha256, found: sha256 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR"
      ? new CkptError("FILE_MISSING", { path }, { cause })
      : new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
}

/** A folder between the two may itself be a link that leads out. */
async function isInside(folder: string, path: string): Promise<boolean> {
  return (await realpath(path)).startsWith((await realpath(folder)) + sep);
}
