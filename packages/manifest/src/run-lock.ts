import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CkptError, isCkptError } from "./errors.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { runLayout } from "./layout.js";
import { leftoverPath } from "./leftovers.js";
import { describeOwnProcess, isHolderAlive, parseHolder, serializeHolder } from "./process-holder.js";
import { readSystemCode } from "./system-code.js";

/** A run that only this process may write, until it is released or the process dies. */
export interface RunLock {
  /** Gives the run free; does nothing if the lock is not this process's any more. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a run: a file with the holder's process id and host, written under a temporary name and linked into
 * place, so that it is never seen half-written. The lock of a process of this host that is gone is taken over; so is
 * one that is no holder's record at all, as the protocol cannot make such a file.
 *
 * @throws {CkptError} RUN_LOCKED naming the holder; FILE_SYSTEM, also where the file system has no hard links.
 */
export async function lockRun(run: string, fileSystem: FileSystem = nodeFileSystem): Promise<RunLock> {
  const path = join(run, runLayout.lock);
  const text = serializeHolder(await describeOwnProcess());
  await fileSystem.makeFolder(run);
  await acquire(path, text, run, fileSystem);
  return {
    release: async () => {
      if ((await readLock(path)) === text) await fileSystem.remove(path);
    },
  };
}

/**
 * Links the lock file into place, or puts it in the place of a dead holder's. Two processes may see the same dead
 * holder: only the one that has the lock `<path>.takeover` may replace it, by a rename that leaves no moment without a
 * lock, after another look at whose it is. That second lock is taken in the same way, should its holder have died too.
 */
async function acquire(path: string, text: string, run: string, fileSystem: FileSystem): Promise<void> {
  const draft = leftoverPath(path, "staging");
  await fileSystem.remove(draft);
  await fileSystem.writeFile(draft, new TextEncoder().encode(text));
  try {
    for (let attempt = 1; ; attempt++) {
      const refusal = await tryLink(draft, path, fileSystem);
      if (refusal === undefined) return;
      const found = await readLock(path);
      if (found === undefined) {
        // Released between the two calls; ten times in a row it is something else, like a link that leads nowhere.
        if (attempt < 10) continue;
        throw refusal;
      }
      const holder = parseHolder(found);
      if (holder !== undefined && (await isHolderAlive(holder))) {
        throw new CkptError("RUN_LOCKED", { path: run, pid: holder.pid, host: holder.host }, { cause: refusal });
      }
      const takeover = `${path}.takeover`;
      await acquire(takeover, text, run, fileSystem);
      try {
        if ((await readLock(path)) === found) return await fileSystem.rename(draft, path);
      } finally {
        await fileSystem.remove(takeover);
      }
    }
  } finally {
    await fileSystem.remove(draft);
  }
}

/** Returns the error that says that `path` is taken; other errors are thrown. */
async function tryLink(draft: string, path: string, fileSystem: FileSystem): Promise<CkptError | undefined> {
  try {
    await fileSystem.linkFile(draft, path);
    return undefined;
  } catch (error) {
    if (isCkptError(error) && readSystemCode(error) === "EEXIST") return error;
    throw error;
  }
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
}
