import { resolve } from "node:path";

import { type FileSystem, isCkptError, type LapsingLock, lockLapsing } from "@ckpt/manifest";

/** A piece of work that no other process does until this is released, or its process dies or hangs. */
export interface Claim {
  release(): Promise<void>;
}

const lapsesAfterMs = 60_000;
const renewalMs = 15_000;

/** Paths claimed by this process: a lock file tells processes apart, not the parts of one. */
const own = new Set<string>();

/**
 * Claims a piece of work by a file, which is renewed every 15 s: the claim of a process that died is taken over, and so
 * is one that was not renewed for a minute. Returns `undefined` if it is another's.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function claimWork(path: string, fileSystem: FileSystem): Promise<Claim | undefined> {
  const place = resolve(path);
  if (own.has(place)) return undefined;
  own.add(place);
  let lock: LapsingLock;
  try {
    lock = await lockLapsing(place, { lapsesAfterMs, fileSystem });
  } catch (error) {
    own.delete(place);
    if (isCkptError(error, "RUN_LOCKED")) return undefined;
    throw error;
  }
  // One that fails lets the claim lapse, no more.
  const renewal = setInterval(() => void lock.renew().catch(() => undefined), renewalMs).unref();
  return {
    release: async () => {
      clearInterval(renewal);
      try {
        await lock.release();
      } finally {
        own.delete(place);
      }
    },
  };
}
