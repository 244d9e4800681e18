import { basename } from "node:path";

import { CkptError, type FileSystem, nodeFileSystem } from "@ckpt/manifest";

/** A file system on which writing weights takes until it is let through, and which refuses what it is told to. */
export interface GatedFileSystem {
  readonly fileSystem: FileSystem;
  /** Lets one write through, once it has come. */
  readonly letThrough: () => Promise<void>;
  /** Fails the next call of this kind on a file of this name, as a full disk would. */
  readonly failNext: (method: "writeFile" | "appendFile" | "rename", file: string) => void;
}

/** Makes one; with `isOpen` nothing waits. */
export function createGatedFileSystem(isOpen: boolean): GatedFileSystem {
  const waiting: (() => void)[] = [];
  const watching: (() => void)[] = [];
  const failing: { readonly method: string; readonly file: string }[] = [];
  const check = (method: string, path: string): void => {
    const index = failing.findIndex((entry) => entry.method === method && entry.file === basename(path));
    if (index === -1) return;
    failing.splice(index, 1);
    throw new CkptError("FILE_SYSTEM", { path, operation: method, reason: "no space left" });
  };
  return {
    fileSystem: {
      ...nodeFileSystem,
      writeFile: async (path, bytes, onChunk) => {
        check("writeFile", path);
        if (!isOpen && basename(path) === "weights.bin") {
          await new Promise<void>((resolve) => {
            waiting.push(resolve);
            watching.shift()?.();
          });
        }
        await nodeFileSystem.writeFile(path, bytes, onChunk);
      },
      appendFile: async (path, bytes) => {
        check("appendFile", path);
        await nodeFileSystem.appendFile(path, bytes);
      },
      rename: async (from, to) => {
        check("rename", from);
        await nodeFileSystem.rename(from, to);
      },
    },
    letThrough: async () => {
      if (waiting.length === 0) await new Promise<void>((resolve) => void watching.push(resolve));
      waiting.shift()?.();
    },
    failNext: (method, file) => void failing.push({ method, file }),
  };
}
