import { basename, dirname, join, resolve } from "node:path";

import { createDigest, digestFile } from "./digest.js";
import { type DocumentHeader, serializeDocument } from "./document.js";
import { CkptError } from "./errors.js";
import type { FileEntry } from "./file-entry.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { isInsidePath } from "./inside-path.js";
import { joinPieces } from "./join-pieces.js";
import { findAbandoned, findReplaced, leftoverPath } from "./leftovers.js";
import { hasProcess } from "./process-holder.js";

/** A folder being written: nobody sees it until {@link StagedFolder.commit} or {@link StagedFolder.publish}. */
export interface StagedFolder {
  /** Where the files are while staged. */
  readonly path: string;
  /**
   * Writes a new file, flushed to the device, and lists it in the manifest to come. The parts of a list are one file, and
   * are put together in memory a piece at a time only; parts that come one after the other need not fit into memory.
   */
  write(
    path: string,
    data: Uint8Array | string | readonly Uint8Array[] | AsyncIterable<Uint8Array>,
  ): Promise<FileEntry>;
  /**
   * Gives a committed file a second name here instead of writing it again, if it still is what its manifest says of it
   * and the file system can; `entry` is that. Returns whether it did.
   */
  link(existing: string, entry: FileEntry): Promise<boolean>;
  /** Writes the manifest last and makes the folder appear under its final name, whole or not at all. */
  commit(manifestName: string, manifest: (files: readonly FileEntry[]) => DocumentHeader<string>): Promise<void>;
  /** Makes a folder without a manifest of its own, such as another tool's format, appear as {@link commit} does. */
  publish(): Promise<void>;
  /** Removes everything staged; to be called when a write or the commit has failed. */
  abandon(): Promise<void>;
}

/** How a staged folder is written, and what happens to one of the same name. */
export interface StageFolderOptions {
  /** Default: the machine's own. */
  readonly fileSystem?: FileSystem;
  /** Take the place of a folder that is already there. Default: false, which makes that an error. */
  readonly isReplacing?: boolean;
}

/**
 * Opens a staging folder beside `target`. The protocol: write and fsync each file, the manifest last, fsync every
 * folder, rename to `target`, fsync the parent. A process that dies anywhere before the rename leaves `target` as it
 * was and a `.<name>.staging-<pid>` for {@link sweepLeftovers}.
 *
 * With `isReplacing` the old folder is first renamed to `.<name>.replaced-<pid>`: no portable call exchanges two
 * folders, so between the two renames a reader finds nothing. A process that dies there leaves the old folder under
 * that name, and {@link sweepLeftovers} puts it back. What processes that died on this machine left of the same target
 * goes with the commit: those that replace need no lock, so another one may still be writing.
 *
 * @throws {CkptError} FILE_SYSTEM; UNSAFE_PATH for a file name that leads out of the folder; TARGET_EXISTS at the commit.
 */
export async function stageFolder(target: string, options: StageFolderOptions = {}): Promise<StagedFolder> {
  const { fileSystem = nodeFileSystem, isReplacing = false } = options;
  const finalPath = resolve(target);
  const parent = dirname(finalPath);
  const path = leftoverPath(finalPath, "staging");
  const files: FileEntry[] = [];
  const folders = new Set([path]);

  const checkName = (name: string): void => {
    if (!isInsidePath(name)) throw new CkptError("UNSAFE_PATH", { path: target, named: name });
  };
  const makePlace = async (file: string): Promise<string> => {
    checkName(file);
    const folder = dirname(join(path, file));
    if (!folders.has(folder)) {
      await fileSystem.makeFolder(folder);
      for (let at = folder; !folders.has(at); at = dirname(at)) folders.add(at);
    }
    return join(path, file);
  };
  const moveIntoPlace = async (isTaken: boolean): Promise<void> => {
    const replaced = leftoverPath(finalPath, "replaced");
    if (isTaken) {
      await fileSystem.remove(replaced);
      await fileSystem.rename(finalPath, replaced);
    }
    try {
      await fileSystem.rename(path, finalPath);
    } catch (error) {
      if (isTaken) await fileSystem.rename(replaced, finalPath);
      throw error;
    }
    await fileSystem.syncFolder(parent);
    if (isTaken) await fileSystem.remove(replaced);
    if (!isReplacing) return;
    // Of processes that died. Old contents are kept until here: they may have been the only ones.
    await removeAbandoned(finalPath, fileSystem);
    const names = await fileSystem.list(parent);
    for (const name of findReplaced(names, basename(finalPath))) await fileSystem.remove(join(parent, name));
  };
  const publish = async (): Promise<void> => {
    for (const folder of folders) await fileSystem.syncFolder(folder);
    const isTaken = await fileSystem.exists(finalPath);
    if (isTaken && !isReplacing) {
      await fileSystem.remove(path);
      throw new CkptError("TARGET_EXISTS", { path: target });
    }
    await moveIntoPlace(isTaken);
  };

  await fileSystem.remove(path);
  await fileSystem.makeFolder(path);
  return {
    path,
    write: async (file, data) => {
      const digest = createDigest();
      const place = await makePlace(file);
      let sizeBytes = 0;
      for await (const piece of toPieces(data)) {
        if (sizeBytes === 0) await fileSystem.writeFile(place, piece, (chunk) => digest.update(chunk));
        else {
          digest.update(piece);
          await fileSystem.appendFile(place, piece);
        }
        sizeBytes += piece.byteLength;
      }
      const entry = { path: file, sizeBytes, sha256: digest.finish() };
      files.push(entry);
      return entry;
    },
    link: async (existing, entry) => {
      const place = await makePlace(entry.path);
      try {
        const found = await digestFile(existing);
        if (found.sha256 !== entry.sha256) return false;
        await fileSystem.linkFile(existing, place);
      } catch {
        // Removed meanwhile, too many names for one file, or a file system without second names: it is written again.
        return false;
      }
      files.push(entry);
      return true;
    },
    commit: async (manifestName, manifest) => {
      checkName(manifestName);
      const text = serializeDocument(manifest(files.toSorted((a, b) => (a.path < b.path ? -1 : 1))));
      await fileSystem.writeFile(join(path, manifestName), new TextEncoder().encode(text));
      await publish();
    },
    publish,
    abandon: () => fileSystem.remove(path),
  };
}

/** What is written at once. */
function toPieces(data: Parameters<StagedFolder["write"]>[1]): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof data === "string") return [new TextEncoder().encode(data)];
  if (data instanceof Uint8Array) return [data];
  return Symbol.asyncIterator in data ? joinParts(data) : joinPieces(data);
}

/** Each append is flushed to the device: 8 MB at once, so that this is a small part of the time. */
const appendedBytes = 8 << 20;

/** Joins small parts; at least one comes out, also of none. */
async function* joinParts(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of parts) {
    waiting.push(part);
    sizeBytes += part.byteLength;
    if (sizeBytes < appendedBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    sizeBytes = 0;
  }
  yield Buffer.concat(waiting);
}

/** Removes what processes that died on this machine were writing for a target that is there now. */
async function removeAbandoned(target: string, fileSystem: FileSystem): Promise<void> {
  const parent = dirname(target);
  const names = await fileSystem.list(parent);
  for (const name of findAbandoned(names, basename(target), hasProcess)) await fileSystem.remove(join(parent, name));
}

/**
 * Replaces one file whole or not at all: written beside it, flushed, renamed over it. What processes that died on this
 * machine left of the same is removed.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function replaceFile(
  path: string,
  data: Uint8Array | string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const staged = leftoverPath(path, "staging");
  await fileSystem.remove(staged);
  await fileSystem.writeFile(staged, typeof data === "string" ? new TextEncoder().encode(data) : data);
  await fileSystem.rename(staged, path);
  await fileSystem.syncFolder(dirname(path));
  await removeAbandoned(path, fileSystem);
}
