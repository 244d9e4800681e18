import { basename, dirname, join, resolve } from "node:path";

import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { intentPath, listClaims } from "./folder-claim.js";
import { runLayout } from "./layout.js";
import { describeOwnProcess, type ProcessHolder, serializeHolder } from "./process-holder.js";
import { finishRemoval, moveToTrash, type RemovedFolder } from "./remove-folder.js";
import { readSystemCode } from "./system-code.js";

/** What became of a folder that was to be removed: it is gone, or a process reads it and it was not touched. */
export type Removal =
  | ({ readonly kind: "removed" } & RemovedFolder)
  | { readonly kind: "leased"; readonly holder: ProcessHolder };

/**
 * Deletes a folder of a run as {@link removeFolder} does, unless a living process has a lease of it. Only for who holds
 * the run's lock, as the record in it is what this process shows to readers.
 *
 * @throws {CkptError} FILE_SYSTEM, also when the run is not locked.
 */
export async function removeUnleased(
  folder: string,
  run: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Removal> {
  const path = resolve(folder);
  const name = basename(path);
  const parent = dirname(path);
  const intent = intentPath(path);
  // Of an earlier process with the same id.
  await fileSystem.remove(intent);
  let trash: string;
  try {
    await declareIntent(intent, run, fileSystem);
    const leases = await listClaims(parent, "lease", fileSystem, name);
    const holder = leases.find((lease) => lease.holder !== undefined)?.holder;
    if (holder !== undefined) return { kind: "leased", holder };
    for (const dead of leases) await fileSystem.remove(dead.path);
    trash = await moveToTrash(path, fileSystem);
  } finally {
    // Readers wait for this, and not for the files to be gone.
    await fileSystem.remove(intent);
  }
  await fileSystem.syncFolder(parent);
  return { kind: "removed", ...(await finishRemoval(trash, name, fileSystem)) };
}

/** A second name of the lock: nothing has to be written or flushed, and it names this process. */
async function declareIntent(intent: string, run: string, fileSystem: FileSystem): Promise<void> {
  try {
    await fileSystem.linkFile(join(run, runLayout.lock), intent);
  } catch (error) {
    if (readSystemCode(error) !== "EXDEV") throw error;
    // A folder of the run is on another volume. Seen half-written it is no intent, but then no lease was looked for yet.
    await fileSystem.writeFile(intent, new TextEncoder().encode(serializeHolder(await describeOwnProcess())));
  }
}
