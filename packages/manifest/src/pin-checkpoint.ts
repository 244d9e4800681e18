import { join } from "node:path";

import { checkpointManifestType } from "./checkpoint-manifest.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { checkpointPath, formatStepName, manifestNames, parseStepName, runLayout } from "./layout.js";
import { readDocument } from "./read-document.js";

/**
 * Keeps the checkpoint of a step until it is unpinned, whatever the retention policies say. A training process that goes
 * on just now heeds it from its next save on. One that is pinned already stays so.
 *
 * @throws {CkptError} MANIFEST_MISSING and what else {@link readDocument} throws when there is no such checkpoint;
 *   FILE_SYSTEM.
 */
export async function pinCheckpoint(run: string, step: number, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  await readDocument(checkpointManifestType, join(checkpointPath(run, step), manifestNames.checkpoint));
  const pin = pinPath(run, step);
  if (await fileSystem.exists(pin)) return;
  await fileSystem.makeFolder(join(run, runLayout.pins));
  await fileSystem.appendFile(pin, new Uint8Array());
}

/**
 * Leaves the checkpoint of a step to the retention policies again; one that is not pinned is no error.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function unpinCheckpoint(
  run: string,
  step: number,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  await fileSystem.remove(pinPath(run, step));
}

/** The steps that are pinned. */
export async function readPins(run: string, fileSystem: FileSystem = nodeFileSystem): Promise<ReadonlySet<number>> {
  const names = await fileSystem.list(join(run, runLayout.pins));
  return new Set(names.map(parseStepName).filter((step) => step !== undefined));
}

function pinPath(run: string, step: number): string {
  return join(run, runLayout.pins, formatStepName(step));
}
