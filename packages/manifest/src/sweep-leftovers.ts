import { join } from "node:path";

import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { parseLeftoverName } from "./leftovers.js";
import { finishRemoval } from "./remove-folder.js";

/**
 * Removes what interrupted writes and removals left in `parent`, and returns their names. A folder whose replacement
 * was interrupted when the old one had been put aside and the new one was not in place yet gets its old content back.
 * Of an interrupted removal, files that are not ckpt's are kept as {@link removeFolder} keeps them.
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
  return swept;
}
