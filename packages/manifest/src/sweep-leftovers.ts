import { basename, join } from "node:path";

import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { listClaims } from "./folder-claim.js";
import { parseLeftoverName } from "./leftovers.js";
import { finishRemoval } from "./remove-folder.js";

/**
 * Removes what interrupted writes and removals left in `parent`, and returns their names. A folder whose replacement
 * was interrupted when the old one had been put aside and the new one was not in place yet gets its old content back.
 * Of an interrupted removal, files that are not ckpt's are kept as {@link removeFolder} keeps them. Leases of living
 * processes stay.
 * Only under the run's lock: without it the leftovers may be another process's work in progress.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function sweepLeftovers(
  parent: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<readonly string[]> {
  const names = await fileSystem.list(parent);
  const swept: string[] = [];
  const targets = new Set(names);
  for (const name of names) {
    const leftover = parseLeftoverName(name);
    if (leftover === undefined) continue;
    const { target, purpose } = leftover;
    const path = join(parent, name);
    if (purpose === "replaced" && !targets.has(target)) {
      await fileSystem.rename(path, join(parent, target));
      await fileSystem.syncFolder(parent);
      targets.add(target);
    } else if (purpose === "trash") await finishRemoval(path, target, fileSystem);
    else await fileSystem.remove(path);
    swept.push(name);
  }
  const claims = await listDeadClaims(parent, fileSystem);
  for (const path of claims) await fileSystem.remove(path);
  swept.push(...claims.map((path) => basename(path)));
  return swept;
}

async function listDeadClaims(parent: string, fileSystem: FileSystem): Promise<readonly string[]> {
  const leases = await listClaims(parent, "lease", fileSystem);
  // Who has the lock is the only one that removes, and is sweeping now.
  const intents = await listClaims(parent, "removing", fileSystem);
  return [...leases.filter(({ holder }) => holder === undefined), ...intents].map(({ path }) => path);
}
