import { basename, dirname, join, resolve } from "node:path";

import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { readEntryKind, readFolderContent } from "./folder-content.js";
import { manifestNames } from "./layout.js";
import { leftoverPath } from "./leftovers.js";

/** What a removal has left. */
export interface RemovedFolder {
  /** Where files of another origin that were in the folder are now. */
  readonly rest?: string;
}

/**
 * Deletes a committed folder so that no reader ever sees half of it, and of its files only those that its manifest
 * lists: renamed to a trash name first, then the files are removed, then the manifest, then folders that are empty.
 * Anything else that was in it is kept under `<name>.rest` beside it (`<name>.rest-2` if that is taken), which no reader
 * takes for a step. So is all of a folder whose manifest is missing or damaged, as nothing says what of it is ckpt's,
 * but for a folder that holds nothing but manifests.
 *
 * @throws {CkptError} FILE_SYSTEM; what was not removed yet is under the trash name, for {@link sweepLeftovers}.
 */
export async function removeFolder(target: string, fileSystem: FileSystem = nodeFileSystem): Promise<RemovedFolder> {
  const trash = await moveToTrash(target, fileSystem);
  await fileSystem.syncFolder(dirname(trash));
  return finishRemoval(trash, basename(resolve(target)), fileSystem);
}

/**
 * The first half of a removal: takes the folder out of every reader's sight, and returns where it is now. Before the
 * second half its parent is to be flushed.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function moveToTrash(target: string, fileSystem: FileSystem): Promise<string> {
  const path = resolve(target);
  const trash = leftoverPath(path, "trash");
  // Of an earlier process with the same id.
  await finishRemoval(trash, basename(path), fileSystem);
  await fileSystem.rename(path, trash);
  return trash;
}

/**
 * The second half: removes what is ckpt's own in a trash folder and puts the rest beside it. Can be interrupted anywhere
 * and done again: the manifest goes after the files it lists, so a folder without one has nothing of ckpt's left.
 *
 * @param name - Of the folder before it was trash.
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function finishRemoval(trash: string, name: string, fileSystem: FileSystem): Promise<RemovedFolder> {
  const kind = await readEntryKind(trash);
  if (kind === "absent") return {};
  if (kind === "link") await fileSystem.remove(trash);
  if (kind === "link" || (kind === "folder" && (await removeOwned(trash, fileSystem)))) return {};
  const rest = await findRestPath(dirname(trash), name, fileSystem);
  await fileSystem.rename(trash, rest);
  await fileSystem.syncFolder(dirname(trash));
  return { rest };
}

/** Returns whether the folder is gone. */
async function removeOwned(folder: string, fileSystem: FileSystem): Promise<boolean> {
  const { listed, manifests, others, folders } = await readFolderContent(folder);
  for (const path of [...listed, ...manifests]) await fileSystem.remove(join(folder, path));
  if (manifests.length === 0 && others.every((path) => isManifestName(path))) {
    for (const path of others) await fileSystem.remove(join(folder, path));
  }
  // Not empty is no error: what others have put there decides, and not what was seen of it above.
  for (const path of folders) await fileSystem.removeEmptyFolder(join(folder, path));
  return fileSystem.removeEmptyFolder(folder);
}

function isManifestName(path: string): boolean {
  return Object.values<string>(manifestNames).includes(path);
}

async function findRestPath(parent: string, name: string, fileSystem: FileSystem): Promise<string> {
  const names = await fileSystem.list(parent);
  // Readers pass over names with a dot in front, and so do people.
  const wanted = `${name.replace(/^\.+/, "")}.rest`;
  let path = wanted;
  for (let n = 2; names.includes(path); n++) path = `${wanted}-${n}`;
  return join(parent, path);
}
