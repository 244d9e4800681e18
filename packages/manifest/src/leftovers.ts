import { basename, dirname, join } from "node:path";

import { type FileSystem, nodeFileSystem } from "./file-system.js";

/** What is beside a target while it changes: its new content, its old content, or what is being deleted. */
export type LeftoverPurpose = "staging" | "replaced" | "trash";

const leftoverName = /^\.(.+)\.(staging|replaced|trash)-\d+$/;

/** The name beside `target` under which this process keeps it for `purpose`: `.<name>.<purpose>-<pid>`. */
export function leftoverPath(target: string, purpose: LeftoverPurpose): string {
  return join(dirname(target), `.${basename(target)}.${purpose}-${process.pid}`);
}

/** Which of `names` are old contents of the target of that name. */
export function findReplaced(names: readonly string[], target: string): readonly string[] {
  return names.filter((name) => {
    const [, of, purpose] = leftoverName.exec(name) ?? [];
    return of === target && purpose === "replaced";
  });
}

/**
 * Removes what interrupted writes and removals left in `parent`, and returns their names. A folder whose replacement
 * was interrupted when the old one had been put aside and the new one was not in place yet gets its old content back.
 * Only under the run's lock: without it the leftovers may be another process's work in progress.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function sweepLeftovers(
  parent: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<readonly string[]> {
  const names = await fileSystem.list(parent);
  const leftovers = names.filter((name) => leftoverName.test(name));
  const targets = new Set(names);
  for (const name of leftovers) {
    const [, target = "", purpose] = leftoverName.exec(name) ?? [];
    if (purpose === "replaced" && !targets.has(target)) {
      await fileSystem.rename(join(parent, name), join(parent, target));
      await fileSystem.syncFolder(parent);
      targets.add(target);
    } else {
      await fileSystem.remove(join(parent, name));
    }
  }
  return leftovers;
}
