import { basename, dirname, join } from "node:path";

import { replaceFile } from "@ckpt/manifest";

import { type CheckpointState, parseCheckpointState, serializeCheckpointState } from "./checkpoint-state.js";
import { damaged } from "./damaged.js";
import { openFile } from "./random-access-file.js";
import type { WriteBundleOptions } from "./write-bundle.js";

/** Room for a hundred thousand names. */
const maxSizeBytes = 16 << 20;

/** The text file that lists a folder's checkpoints. */
export function stateFilePath(folder: string): string {
  return join(folder, "checkpoint");
}

/**
 * Reads the `checkpoint` file of a folder; `undefined` when there is none.
 *
 * @throws {CkptError} BUNDLE_INVALID; FILE_SYSTEM.
 */
export async function readStateFile(folder: string): Promise<CheckpointState | undefined> {
  const file = await openFile(stateFilePath(folder));
  if (file === undefined) return undefined;
  try {
    if (file.sizeBytes > maxSizeBytes) throw damaged(file.path, `a list of ${file.sizeBytes} bytes`);
    const bytes = await file.read(0, file.sizeBytes);
    return parseCheckpointState(Buffer.from(bytes.buffer).toString("utf8"), file.path);
  } finally {
    await file.close();
  }
}

/**
 * Makes a checkpoint the latest one of its folder's `checkpoint` file, which is made if needed and replaced whole. The
 * others stay listed. No time is recorded: a v1 `Saver` records none either.
 *
 * @throws {CkptError} BUNDLE_INVALID for a damaged `checkpoint` file; FILE_SYSTEM.
 */
export async function recordCheckpoint(prefix: string, options: WriteBundleOptions = {}): Promise<void> {
  const folder = dirname(prefix);
  const latest = basename(prefix);
  const before = await readStateFile(folder);
  const all = [...(before?.all ?? []).filter((name) => name !== latest), latest];
  const text = serializeCheckpointState({ latest, all, timestamps: [] });
  await replaceFile(stateFilePath(folder), text, options.fileSystem);
}
