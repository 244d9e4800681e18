import { appendFileSync, writeSync } from "node:fs";
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

import { die } from "./die.js";

/**
 * Preloaded into each thread: in a worker, kills the process before the call number DEADLY_CALL (from 1) of
 * `node:fs/promises` or of a method of an open file that changes something on disk. With DEADLY_MOMENT `halfway` a write
 * puts half of its bytes there first. Names of the calls go to the file CALLS.
 */
const { DEADLY_CALL, DEADLY_MOMENT, CALLS } = process.env;
let calls = 0;

function observe(name: string, writeHalf?: (data: Uint8Array) => void, data?: unknown): void {
  if (CALLS !== undefined) appendFileSync(CALLS, `${name}\n`);
  if (++calls !== Number(DEADLY_CALL)) return;
  if (DEADLY_MOMENT === "halfway" && data instanceof Uint8Array) {
    // A copy: what is saved is in shared memory, which the calls that do not return a promise refuse.
    writeHalf?.(Uint8Array.from(data.subarray(0, data.length >> 1)));
  }
  die();
}

function observeFile(file: FileHandle): FileHandle {
  const writeHalf = (data: Uint8Array): void => void writeSync(file.fd, data);
  for (const name of ["write", "writeFile", "sync"] as const) {
    const method = file[name].bind(file) as (...args: readonly unknown[]) => unknown;
    const observed = (...args: readonly unknown[]): unknown => {
      observe(name, writeHalf, args[0]);
      return method(...args);
    };
    Object.assign(file, { [name]: observed });
  }
  return file;
}

if (!isMainThread) {
  const { open } = promises;
  const observedOpen = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    observe("open");
    return observeFile(await open(...args));
  };
  Object.assign(promises, { open: observedOpen });
  for (const name of ["rename", "link", "rm", "rmdir", "mkdir"] as const) {
    const call = promises[name] as (...args: readonly unknown[]) => unknown;
    const observed = (...args: readonly unknown[]): unknown => {
      observe(name);
      return call(...args);
    };
    Object.assign(promises, { [name]: observed });
  }
  syncBuiltinESMExports();
}
