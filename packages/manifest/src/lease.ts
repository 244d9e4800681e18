import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CkptError } from "./errors.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { leasePath, listClaims } from "./folder-claim.js";
import { readEntryKind } from "./folder-content.js";
import { leftoverPath } from "./leftovers.js";
import { describeOwnProcess, type ProcessHolder, serializeHolder } from "./process-holder.js";
import { readSystemCode } from "./system-code.js";

/** A committed folder that its run's writer will not delete, until this is released or the process dies. */
export interface Lease {
  /** Gives the folder free; again, it does nothing. */
  release(): Promise<void>;
}

const pollMs = 5;
const maxPolls = 400;
const maxAttempts = 100;
const notWritable: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM"]);

let count = 0;

/**
 * Keeps {@link removeUnleased} of any process from deleting a folder, by a file beside it that names this process. A
 * removal that has begun is waited for. Once this returns, the folder is there and stays; several leases of a folder
 * may be held, also by one process. Where the folder's parent cannot be written, the lease does nothing: reading needs
 * no permission to write.
 *
 * @throws {CkptError} MANIFEST_MISSING when the folder is not there, or not any more; RUN_LOCKED when a removal has not
 *   come to its end after some two seconds; FILE_SYSTEM.
 */
export async function leaseFolder(folder: string, fileSystem: FileSystem = nodeFileSystem): Promise<Lease> {
  const path = await resolveFolder(folder);
  const lease = await writeLease(path, fileSystem);
  if (lease === undefined) return { release: async () => {} };
  try {
    await waitForRemoval(path, folder, fileSystem);
    if ((await readEntryKind(path)) === "absent") throw new CkptError("MANIFEST_MISSING", { path: folder });
  } catch (error) {
    await fileSystem.remove(lease);
    throw error;
  }
  return { release: () => fileSystem.remove(lease) };
}

/**
 * The living process that leases one of the folders in `parent`, if there is one.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function findLeaseHolder(
  parent: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<ProcessHolder | undefined> {
  const leases = await listClaims(parent, "lease", fileSystem);
  return leases.find(({ holder }) => holder !== undefined)?.holder;
}

/** The lease has to be beside the folder itself, and not beside a link like `best` that leads to it. */
async function resolveFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new CkptError("MANIFEST_MISSING", { path: folder }, { cause });
    throw new CkptError("FILE_SYSTEM", { path: folder, operation: "resolve", reason: message }, { cause });
  }
}

/**
 * Links the lease into place, so that it is never seen half-written; each has a name of its own. Returns `undefined`
 * where nothing can be written.
 */
async function writeLease(folder: string, fileSystem: FileSystem): Promise<string | undefined> {
  const bytes = new TextEncoder().encode(serializeHolder(await describeOwnProcess()));
  for (let attempt = 1; ; attempt++) {
    const path = leasePath(folder, ++count);
    try {
      await linkDraft(path, bytes, fileSystem);
      return path;
    } catch (error) {
      const code = readSystemCode(error) ?? "";
      if (notWritable.has(code)) return undefined;
      // Taken by another thread or an earlier process of the same id; or the draft was swept by the run's writer.
      if ((code !== "EEXIST" && code !== "ENOENT") || attempt === maxAttempts) throw error;
      if ((await readEntryKind(dirname(folder))) === "absent") {
        throw new CkptError("MANIFEST_MISSING", { path: folder }, { cause: error });
      }
    }
  }
}

async function linkDraft(path: string, bytes: Uint8Array, fileSystem: FileSystem): Promise<void> {
  const draft = leftoverPath(path, "staging");
  await fileSystem.writeFile(draft, bytes);
  try {
    await fileSystem.linkFile(draft, path);
  } finally {
    await fileSystem.remove(draft);
  }
}

/** The writer names its intent before it looks for leases: where there is none now, it will see this process's lease. */
async function waitForRemoval(path: string, folder: string, fileSystem: FileSystem): Promise<void> {
  for (let polls = 0; ; polls++) {
    const intents = await listClaims(dirname(path), "removing", fileSystem, basename(path));
    const holder = intents.find((intent) => intent.holder !== undefined)?.holder;
    if (holder === undefined) return;
    if (polls === maxPolls) throw new CkptError("RUN_LOCKED", { path: folder, pid: holder.pid, host: holder.host });
    await sleep(pollMs);
  }
}
