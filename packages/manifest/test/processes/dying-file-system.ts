import { appendFileSync, writeFileSync } from "node:fs";

import type { FileSystem } from "../../src/file-system.js";

/** Where a process dies: before its n-th call (from 1), or when that call, a write, has put half of its bytes there. */
export interface Death {
  readonly call: number;
  readonly isHalfway: boolean;
}

/** A file system that kills its own process with SIGKILL at one of its calls. */
export function dyingFileSystem(real: FileSystem, death: Death): FileSystem {
  let calls = 0;
  const isDue = (): boolean => ++calls === death.call;
  return {
    makeFolder: (path) => (isDue() ? die() : real.makeFolder(path)),
    writeFile: (path, data, onChunk) => {
      if (!isDue()) return real.writeFile(path, data, onChunk);
      if (death.isHalfway) writeFileSync(path, half(data), { flag: "wx" });
      return die();
    },
    appendFile: (path, data) => {
      if (!isDue()) return real.appendFile(path, data);
      if (death.isHalfway) appendFileSync(path, half(data));
      return die();
    },
    linkFile: (existing, path) => (isDue() ? die() : real.linkFile(existing, path)),
    syncFolder: (path) => (isDue() ? die() : real.syncFolder(path)),
    rename: (from, to) => (isDue() ? die() : real.rename(from, to)),
    remove: (path) => (isDue() ? die() : real.remove(path)),
    exists: (path) => (isDue() ? die() : real.exists(path)),
    removeEmptyFolder: (path) => (isDue() ? die() : real.removeEmptyFolder(path)),
    list: (path) => (isDue() ? die() : real.list(path)),
  };
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // Until the signal has arrived nothing more may happen.
  for (;;);
}

function half(data: Uint8Array): Uint8Array {
  return data.subarray(0, data.length >> 1);
}

/** A file system that records the name of each call. */
export function recordingFileSystem(real: FileSystem, calls: (keyof FileSystem)[]): FileSystem {
  const record = <Result>(name: keyof FileSystem, result: () => Promise<Result>): Promise<Result> => {
    calls.push(name);
    return result();
  };
  return {
    makeFolder: (path) => record("makeFolder", () => real.makeFolder(path)),
    writeFile: (path, data, onChunk) => record("writeFile", () => real.writeFile(path, data, onChunk)),
    appendFile: (path, data) => record("appendFile", () => real.appendFile(path, data)),
    linkFile: (existing, path) => record("linkFile", () => real.linkFile(existing, path)),
    syncFolder: (path) => record("syncFolder", () => real.syncFolder(path)),
    rename: (from, to) => record("rename", () => real.rename(from, to)),
    remove: (path) => record("remove", () => real.remove(path)),
    exists: (path) => record("exists", () => real.exists(path)),
    removeEmptyFolder: (path) => record("removeEmptyFolder", () => real.removeEmptyFolder(path)),
    list: (path) => record("list", () => real.list(path)),
  };
}
