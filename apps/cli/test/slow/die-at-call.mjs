// Preloaded by --import into the program's main thread: kills the process by SIGKILL before the call number DEADLY_CALL
// (from 1) of `node:fs/promises`, or of a method of an open file, that changes something on disk. Names of the calls go
// to the file CALLS.
import { appendFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const { DEADLY_CALL, CALLS } = process.env;
let count = 0;

function observed(name, call) {
  return (...args) => {
    count += 1;
    if (CALLS !== undefined) appendFileSync(CALLS, `${name}\n`);
    if (count === Number(DEADLY_CALL)) {
      process.kill(process.pid, "SIGKILL");
      // The signal may take a moment: nothing more is to happen.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return call(...args);
  };
}

if (isMainThread) {
  const { open } = promises;
  promises.open = async (path, flags = "r", ...rest) => {
    const isWritten = typeof flags === "string" && flags !== "r";
    const file = await (isWritten ? observed("open", open) : open)(path, flags, ...rest);
    for (const name of ["write", "writeFile", "sync"]) file[name] = observed(name, file[name].bind(file));
    return file;
  };
  for (const name of ["rename", "link", "rm", "rmdir", "mkdir", "unlink"]) {
    promises[name] = observed(name, promises[name]);
  }
  syncBuiltinESMExports();
}
