import { rmdir } from "node:fs/promises";
import { join } from "node:path";

import {
  type FileSystem,
  manifestNames,
  parseCheckpointName,
  parseStepName,
  removeFolder,
  runLayout,
} from "@ckpt/manifest";

/** Files of a run beside the folders; `report.*` are the report's formats. */
const files = [
  runLayout.ranking,
  runLayout.best,
  "report.html",
  "report.md",
  runLayout.history,
  runLayout.timings,
] as const;

/**
 * Removes what ckpt wrote into a run folder, and nothing else: files of other origin stay, and so does a folder that
 * holds one. `run.json` goes last, so that an interrupted removal can be asked for again.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function discardRun(run: string, fileSystem: FileSystem): Promise<void> {
  for (const folder of [runLayout.checkpoints, runLayout.artifacts]) {
    for (const name of await fileSystem.list(join(run, folder))) {
      if (parseCheckpointName(name) !== undefined) await removeFolder(join(run, folder, name), fileSystem);
      else if (isSetAside(name)) await fileSystem.remove(join(run, folder, name));
    }
  }
  for (const name of await fileSystem.list(join(run, runLayout.evaluations))) {
    const folder = join(run, runLayout.evaluations, name);
    if ((await listIfFolder(folder, fileSystem)).includes(manifestNames.evaluation))
      await removeFolder(folder, fileSystem);
  }
  for (const folder of [runLayout.checkpoints, runLayout.artifacts, runLayout.evaluations]) {
    // Not empty: something of another origin is in it. Not there: nothing to do.
    await rmdir(join(run, folder)).catch(() => undefined);
  }
  for (const file of files) await fileSystem.remove(join(run, file));
  await fileSystem.remove(join(run, runLayout.manifest));
}

/** Where a damaged checkpoint is put so that its step can be saved again; readers pass over names with a dot. */
export function formatSetAsideName(stepName: string): string {
  return `.${stepName}.damaged`;
}

function isSetAside(name: string): boolean {
  const stepName = /^\.(.+)\.damaged$/.exec(name)?.[1];
  return stepName !== undefined && parseStepName(stepName) !== undefined;
}

async function listIfFolder(path: string, fileSystem: FileSystem): Promise<readonly string[]> {
  try {
    return await fileSystem.list(path);
  } catch {
    return [];
  }
}
