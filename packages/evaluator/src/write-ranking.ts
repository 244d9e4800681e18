import { symlink, unlink } from "node:fs/promises";
import { join } from "node:path";

import {
  CkptError,
  nodeFileSystem,
  type RankingManifest,
  replaceFile,
  runLayout,
  serializeDocument,
} from "@ckpt/manifest";

/**
 * Writes a run's `ranking.json` and points its link `best` at the pick, each replaced whole or not at all. The link is
 * relative, so a run can be moved; without a pick there is none.
 *
 * @param run - The run's folder.
 * @throws {CkptError} FILE_SYSTEM, also when `best` is there and is not a link.
 */
export async function writeRanking(run: string, ranking: RankingManifest): Promise<void> {
  await replaceFile(join(run, runLayout.ranking), serializeDocument(ranking));
  const best = join(run, runLayout.best);
  if (ranking.pick === undefined) await removeLink(best);
  else await replaceLink(best, `${runLayout.artifacts}/${ranking.pick.id}`);
  await nodeFileSystem.syncFolder(run);
}

async function replaceLink(path: string, target: string): Promise<void> {
  // The commit protocol's name for something staged: a leftover is swept with the others.
  const staged = join(path, "..", `.${runLayout.best}.staging-${process.pid}`);
  await nodeFileSystem.remove(staged);
  try {
    await symlink(target, staged, "dir");
  } catch (cause) {
    throw linkFailure(path, cause);
  }
  await nodeFileSystem.rename(staged, path);
}

async function removeLink(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw linkFailure(path, cause);
  }
}

function linkFailure(path: string, cause: unknown): CkptError {
  return new CkptError("FILE_SYSTEM", { path, operation: "link", reason: (cause as Error).message }, { cause });
}
