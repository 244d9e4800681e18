import { join } from "node:path";

import {
  CkptError,
  type FileSystem,
  findLeaseHolder,
  isRaceName,
  isScoringName,
  manifestNames,
  parseCheckpointName,
  parseStepName,
  type ProcessHolder,
  removeFolder,
  removeUnleased,
  runLayout,
  sweepLeftovers,
} from "@ckpt/manifest";

/** Whose contents other processes read while they freeze or score. */
const leasedFolders = [runLayout.checkpoints, runLayout.artifacts] as const;

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
 * Removes what ckpt wrote into a run folder, and nothing else: files of other origin stay, those from within a step's
 * folder under `<name>.rest` beside it, and so does a folder that holds one. `run.json` goes last, so that an
 * interrupted removal can be asked for again. Only for who holds the run's lock.
 *
 * @throws {CkptError} RUN_LOCKED naming a process that reads a checkpoint or an artifact; if it does so already when this
 *   is called, nothing has been removed. FILE_SYSTEM.
 */
export async function discardRun(run: string, fileSystem: FileSystem): Promise<void> {
  for (const folder of leasedFolders) {
    const holder = await findLeaseHolder(join(run, folder), fileSystem);
    if (holder !== undefined) throw lockedBy(run, holder);
  }
  for (const folder of leasedFolders) {
    // Who freezes into `artifacts/` has a lease of a checkpoint: with those gone, nothing in there is in progress.
    await sweepLeftovers(join(run, folder), fileSystem);
    for (const name of await fileSystem.list(join(run, folder))) {
      const path = join(run, folder, name);
      if (parseCheckpointName(name) !== undefined) {
        const removal = await removeUnleased(path, run, fileSystem);
        if (removal.kind === "leased") throw lockedBy(run, removal.holder);
      } else if (isSetAside(name)) await removeFolder(path, fileSystem);
    }
  }
  await sweepLeftovers(join(run, runLayout.evaluations), fileSystem);
  for (const name of await fileSystem.list(join(run, runLayout.evaluations))) {
    const folder = join(run, runLayout.evaluations, name);
    if (isScoringName(name)) await fileSystem.remove(folder);
    if ((await listIfFolder(folder, fileSystem)).includes(manifestNames.evaluation))
      await removeFolder(folder, fileSystem);
  }
  const races = join(run, runLayout.evaluations, runLayout.races);
  await sweepLeftovers(races, fileSystem);
  for (const name of (await fileSystem.list(races)).filter(isRaceName)) await fileSystem.remove(join(races, name));
  await fileSystem.removeEmptyFolder(races).catch(() => false);
  for (const folder of [...leasedFolders, runLayout.evaluations]) {
    // Not empty: something of another origin is in it.
    await fileSystem.removeEmptyFolder(join(run, folder)).catch(() => false);
  }
  for (const name of await fileSystem.list(join(run, runLayout.pins))) {
    if (parseStepName(name) !== undefined) await fileSystem.remove(join(run, runLayout.pins, name));
  }
  await fileSystem.removeEmptyFolder(join(run, runLayout.pins));
  for (const file of files) await fileSystem.remove(join(run, file));
  await fileSystem.remove(join(run, runLayout.manifest));
}

function lockedBy(path: string, { pid, host }: ProcessHolder): CkptError {
  return new CkptError("RUN_LOCKED", { path, pid, host });
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
