import { dirname } from "node:path";

import { replaceFile, stageFolder } from "../../src/commit.js";
import type { FileSystem } from "../../src/file-system.js";
import { removeFolder } from "../../src/remove-folder.js";
import { removeUnleased } from "../../src/remove-unleased.js";
import { lockRun } from "../../src/run-lock.js";
import { sweepLeftovers } from "../../src/sweep-leftovers.js";

/** What a process can be killed in the middle of, each on the target given. */
export const operations: Readonly<Record<string, (target: string, fileSystem: FileSystem) => Promise<unknown>>> = {
  commit: (target, fileSystem) => commitNote(target, "new", false, fileSystem),
  replace: (target, fileSystem) => commitNote(target, "new", true, fileSystem),
  remove: (target, fileSystem) => removeFolder(target, fileSystem),
  removeUnleased: async (target, fileSystem) => {
    const lock = await lockRun(dirname(target));
    await removeUnleased(target, dirname(target), fileSystem);
    await lock.release();
  },
  replaceFile: (target, fileSystem) => replaceFile(target, "new content", fileSystem),
  sweep: (target, fileSystem) => sweepLeftovers(dirname(target), fileSystem),
};

/** Commits a folder of two files, one of them in a folder of its own, whose manifest and content say `text`. */
export async function commitNote(
  target: string,
  text: string,
  isReplacing: boolean,
  fileSystem: FileSystem,
): Promise<void> {
  const staged = await stageFolder(target, { fileSystem, isReplacing });
  await staged.write("text.txt", text);
  await staged.write("deep/er/copy.txt", text.repeat(2));
  await staged.commit("checkpoint.json", (files) => ({ kind: "checkpoint", schemaVersion: 1, text, files }) as never);
}
