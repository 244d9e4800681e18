import { readdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, win32 } from "node:path";

import { CkptError, isInsidePath } from "@ckpt/manifest";

import { stemOf, tablePaths } from "./checkpoint-files.js";
import { type BundleName, nameOfPrefix } from "./checkpoint-name.js";
import { readStateFile, stateFilePath } from "./state-file.js";

/** A checkpoint of a folder: what its files' names tell. */
export interface ListedCheckpoint extends BundleName {
  /** What `openBundle` takes. */
  readonly prefix: string;
  /** Its index and data, or the files of a V1 checkpoint: names in the folder of the prefix. */
  readonly files: readonly string[];
  /** Size of these files. */
  readonly sizeBytes: number;
  /** Its graph, where a v1 `Saver` wrote one. */
  readonly metaPath?: string;
}

/** The checkpoints of a folder. */
export interface CheckpointList {
  /** In the order of the `checkpoint` file, oldest first; by step and name where there is no such file. */
  readonly checkpoints: readonly ListedCheckpoint[];
  /** Names that the `checkpoint` file lists and that have no files any more. */
  readonly missing: readonly string[];
}

/**
 * Lists the checkpoints of a folder: those that its `checkpoint` file names, or every `.index` file's where there is none.
 * Names are looked up beside that file by their last part, so a folder that was moved or copied lists its own files;
 * an absolute name that is not there is then looked up where it points.
 *
 * @throws {CkptError} CHECKPOINT_NOT_FOUND when there are none, naming those that are missing; BUNDLE_INVALID for a damaged
 *   `checkpoint` file; UNSAFE_PATH for a relative name in it that leads out of the folder; FILE_SYSTEM.
 */
export async function listCheckpoints(folder: string): Promise<CheckpointList> {
  const files = await readFileNames(folder);
  const state = await readStateFile(folder);
  const checkpoints: ListedCheckpoint[] = [];
  const missing: string[] = [];
  for (const name of state?.all ?? namesOfIndexes(files)) {
    const found = await findListed(folder, name, files);
    if (found === undefined) missing.push(name);
    else checkpoints.push(found);
  }
  if (checkpoints.length === 0) {
    throw new CkptError("CHECKPOINT_NOT_FOUND", { path: folder, skipped: missing.map((name) => `${name}: no files`) });
  }
  return { checkpoints, missing };
}

/**
 * The checkpoint with this prefix; `undefined` where there is none.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function findCheckpoint(prefix: string): Promise<ListedCheckpoint | undefined> {
  return describeCheckpoint(dirname(prefix), basename(prefix), undefined);
}

async function readFileNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new CkptError("CHECKPOINT_NOT_FOUND", { path: folder, skipped: [] }, { cause });
    }
    throw new CkptError("FILE_SYSTEM", { path: folder, operation: "list", reason: message }, { cause });
  }
}

function namesOfIndexes(files: readonly string[]): readonly string[] {
  const names = files.filter((file) => file.endsWith(".index")).map((file) => file.slice(0, -".index".length));
  return names.toSorted((a, b) => stepOf(a) - stepOf(b));
}

function stepOf(name: string): number {
  return nameOfPrefix(name).step ?? -1;
}

async function findListed(
  folder: string,
  written: string,
  files: readonly string[],
): Promise<ListedCheckpoint | undefined> {
  const isElsewhere = isAbsolute(written) || win32.isAbsolute(written);
  // A pattern for V1 files has question marks, which are no path's business.
  if (!isElsewhere && !isInsidePath(stemOf(written))) {
    throw new CkptError("UNSAFE_PATH", { path: stateFilePath(folder), named: written });
  }
  const beside = isElsewhere ? win32.basename(written) : written;
  const here = await describeCheckpoint(folder, beside, beside.includes("/") ? undefined : files);
  if (here !== undefined || !isAbsolute(written)) return here;
  return describeCheckpoint(join(written, ".."), basename(written), undefined);
}

/** `files` are the names in the folder; they are looked up when not given. */
async function describeCheckpoint(
  folder: string,
  name: string,
  files: readonly string[] | undefined,
): Promise<ListedCheckpoint | undefined> {
  const prefix = join(folder, name);
  const names = files ?? (await readFileNames(join(prefix, "..")).catch(() => []));
  const last = basename(prefix);
  const tables = new Set(tablePaths(last));
  const isV2 = names.includes(`${last}.index`);
  const parts = names.filter((file) =>
    isV2 ? file === `${last}.index` || file.startsWith(`${last}.data-`) : tables.has(file),
  );
  if (parts.length === 0) return undefined;
  const parent = join(prefix, "..");
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += await sizeOf(join(parent, part));
  const meta = `${stemOf(last)}.meta`;
  return {
    ...nameOfPrefix(last),
    prefix,
    files: parts,
    sizeBytes,
    ...(names.includes(meta) && { metaPath: join(parent, meta) }),
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    // Deleted since the folder was listed, as a trainer does.
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw new CkptError("FILE_SYSTEM", { path, operation: "look up", reason: (cause as Error).message }, { cause });
  }
}
