import { type FileHandle, open, stat } from "node:fs/promises";

import { CkptError } from "@ckpt/manifest";

import { damaged } from "./damaged.js";

/** A file that is read in parts, at any place and by several readers at once. */
export interface RandomAccessFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Reads `length` bytes into memory of their own; `onChunk` sees them, in order and once, as they come.
   *
   * @throws {CkptError} BUNDLE_INVALID when the file has fewer, before any memory is taken for them; FILE_SYSTEM.
   */
  read(offset: number, length: number, onChunk?: (chunk: Uint8Array) => void): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Few calls, and small enough that what was read is still in the cache when it is looked at. */
const readBytes = 1 << 20;

/**
 * Opens a regular file; `undefined` when there is none.
 *
 * @throws {CkptError} BUNDLE_INVALID for a folder, a pipe or a device; FILE_SYSTEM.
 */
export async function openFile(path: string): Promise<RandomAccessFile | undefined> {
  let handle: FileHandle;
  let sizeBytes: number;
  try {
    // Asked before opening: to open a pipe waits for who writes into it.
    const found = await stat(path);
    if (!found.isFile()) throw damaged(path, "not a file");
    handle = await open(path);
    sizeBytes = found.size;
  } catch (cause) {
    if (cause instanceof CkptError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw fileSystemError(path, "open", cause);
  }
  return {
    path,
    sizeBytes,
    read: async (offset, length, onChunk) => {
      if (offset + length > sizeBytes) {
        throw damaged(path, `cut off: bytes ${offset} to ${offset + length} expected, it has ${sizeBytes}`);
      }
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = await readChunk(handle, path, bytes.subarray(done, done + readBytes), offset + done);
        if (count === 0) throw damaged(path, "cut off while it was read");
        onChunk?.(bytes.subarray(done, done + count));
        done += count;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

async function readChunk(handle: FileHandle, path: string, target: Uint8Array, position: number): Promise<number> {
  try {
    return (await handle.read(target, 0, target.length, position)).bytesRead;
  } catch (cause) {
    throw fileSystemError(path, "read", cause);
  }
}

function fileSystemError(path: string, operation: string, cause: unknown): CkptError<"FILE_SYSTEM"> {
  return new CkptError("FILE_SYSTEM", { path, operation, reason: (cause as Error).message }, { cause });
}
