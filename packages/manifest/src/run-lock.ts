import { readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

import { CkptError, isCkptError } from "./errors.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { runLayout } from "./layout.js";
import { leftoverPath } from "./leftovers.js";
import {
  describeOwnProcess,
  isHolderAlive,
  parseHolder,
  type ProcessHolder,
  serializeHolder,
} from "./process-holder.js";
import { readSystemCode } from "./system-code.js";

/** What only this process holds, until it is released or the process dies. */
export interface RunLock {
  /** Gives it free; does nothing if the lock is not this process's any more. */
  release(): Promise<void>;
}

/** A lock that lapses unless it is renewed. */
export interface LapsingLock extends RunLock {
  /** To be called well within the time after which the lock lapses. */
  renew(): Promise<void>;
}

/** When a lock lapses, and by what clock. */
export interface LapsingLockOptions {
  /** Age from which a lock that nobody renewed is taken over, be its holder alive, on this host or another. */
  readonly lapsesAfterMs: number;
  /** Default: the machine's own. */
  readonly fileSystem?: FileSystem;
  /** Milliseconds since 1970, by the clock of the files' times. Default: `Date.now`. */
  readonly now?: () => number;
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
  await acquire(path, text, { subject: run, fileSystem });
  return { release: () => releaseLock(path, text, fileSystem) };
}

/**
 * Takes a lock file as {@link lockRun} does, for work that another process may do as well: one that nobody renewed in
 * time is taken over also from a process that hangs, or of whose host nothing is known. The file's folder has to be there.
 *
 * @throws {CkptError} RUN_LOCKED naming the holder; FILE_SYSTEM, also where the file system has no hard links.
 */
export async function lockLapsing(path: string, options: LapsingLockOptions): Promise<LapsingLock> {
  const { lapsesAfterMs, fileSystem = nodeFileSystem, now = Date.now } = options;
  const text = serializeHolder(await describeOwnProcess());
  const hasLapsed = async (): Promise<boolean> => now() - (await readTime(path, now)) > lapsesAfterMs;
  await acquire(path, text, { subject: path, fileSystem, hasLapsed });
  return {
    renew: async () => {
      const seconds = now() / 1000;
      // Taken over or removed with its folder: whoever did that has said so by it.
      if ((await readLock(path)) === text) await utimes(path, seconds, seconds).catch(() => undefined);
    },
    release: () => releaseLock(path, text, fileSystem),
  };
}

async function releaseLock(path: string, text: string, fileSystem: FileSystem): Promise<void> {
  if ((await readLock(path)) === text) await fileSystem.remove(path);
}

/** One that is gone was used just now. */
async function readTime(path: string, now: () => number): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return now();
  }
}

/** What {@link acquire} needs beside the lock file. */
interface Acquisition {
  /** Named in errors. */
  readonly subject: string;
  readonly fileSystem: FileSystem;
  /** Whether the lock may be taken from a living holder. Default: never. */
  readonly hasLapsed?: () => Promise<boolean>;
}

/**
 * Links the lock file into place, or puts it in the place of a dead holder's. Two processes may see the same dead
 * holder: only the one that has the lock `<path>.takeover` may replace it, by a rename that leaves no moment without a
 * lock, after another look at whose it is. That second lock is taken in the same way, should its holder have died too.
 */
async function acquire(path: string, text: string, acquisition: Acquisition): Promise<void> {
  const { subject, fileSystem, hasLapsed } = acquisition;
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
      if (holder !== undefined && (await isHeld(holder, hasLapsed))) {
        throw new CkptError("RUN_LOCKED", { path: subject, pid: holder.pid, host: holder.host }, { cause: refusal });
      }
      const takeover = `${path}.takeover`;
      await acquire(takeover, text, { subject, fileSystem });
      try {
        // Lapsed when it was looked at, it may have been renewed since.
        const isStill =
          (await readLock(path)) === found && (holder === undefined || !(await isHeld(holder, hasLapsed)));
        if (isStill) return await fileSystem.rename(draft, path);
      } finally {
        await fileSystem.remove(takeover);
      }
    }
  } finally {
    await fileSystem.remove(draft);
  }
}

async function isHeld(holder: ProcessHolder, hasLapsed: Acquisition["hasLapsed"]): Promise<boolean> {
  return (await isHolderAlive(holder)) && (await hasLapsed?.()) !== true;
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
