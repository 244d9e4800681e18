import { readdir } from "node:fs/promises";
import { join } from "node:path";

import {
  CkptError,
  type CommittedKind,
  compareCheckpointNames,
  manifestNames,
  runLayout,
  parseCheckpointName,
} from "@ckpt/manifest";

/** What a folder is, told by the manifest in it. */
export type FolderKind = CommittedKind | "run";

const manifestFiles: readonly (readonly [string, FolderKind])[] = [
  [runLayout.manifest, "run"],
  [manifestNames.checkpoint, "checkpoint"],
  [manifestNames.artifact, "artifact"],
  [manifestNames.evaluation, "evaluation"],
];

/**
 * The kind of folder at `path`, or `undefined` if it holds no manifest or is not there.
 *
 * @throws {CkptError} FILE_SYSTEM when it cannot be read.
 */
export async function identifyFolder(path: string): Promise<FolderKind | undefined> {
  const names = new Set(await listFolder(path));
  return manifestFiles.find(([file]) => names.has(file))?.[1];
}

/**
 * The folders of one kind directly in `path`, checkpoints and artifacts by step and others by name; hidden ones are staging
 * and trash and are left out.
 *
 * @throws {CkptError} FILE_SYSTEM when one cannot be read.
 */
export async function findFolders(path: string, kind: FolderKind): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await listFolder(path)) {
    if (!name.startsWith(".") && (await identifyFolder(join(path, name))) === kind) found.push(join(path, name));
  }
  return found;
}

/** The checkpoints of a run, or their artifacts, by step and with averages last of a step; none if `run` is not there. */
export async function findInRun(run: string, kind: "checkpoint" | "artifact"): Promise<readonly string[]> {
  const folder = join(run, kind === "checkpoint" ? runLayout.checkpoints : runLayout.artifacts);
  const names = await listFolder(folder);
  const isOurs = (name: string): boolean =>
    kind === "checkpoint" ? parseCheckpointName(name) !== undefined : !name.startsWith(".");
  return names.filter(isOurs).map((name) => join(folder, name));
}

/** Names in a folder: checkpoints by step, then others by code unit; none if it is not there or is a file. */
async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).toSorted(compareCheckpointNames);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new CkptError("FILE_SYSTEM", { path, operation: "list", reason: message }, { cause });
  }
}
