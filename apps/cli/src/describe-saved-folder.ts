import { isCkptError } from "@ckpt/manifest";
import { type CheckpointReader, listCheckpoints, type ListedCheckpoint, openBundle } from "@ckpt/tensor-bundle";

import type { DescribeRunOptions, InvalidCheckpoint } from "./describe-run.js";

/** One of TensorFlow's checkpoints as `ckpt ls` tells it. */
export interface SavedCheckpointDescription extends ListedCheckpoint, Pick<CheckpointReader, "format"> {
  readonly tensorCount: number;
}

/** A folder that TensorFlow saved checkpoints in. */
export interface SavedFolderDescription {
  readonly path: string;
  /** All there are, listed or not. */
  readonly checkpointCount: number;
  /** Those listed, oldest first. */
  readonly checkpoints: readonly SavedCheckpointDescription[];
  /** Names in the `checkpoint` file whose files are gone. */
  readonly missing: readonly string[];
  /** Those among the ones read whose list of tensors is damaged. */
  readonly invalid: readonly InvalidCheckpoint[];
}

/**
 * Reads the lists of tensors of a folder's newest checkpoints, no values; `undefined` when TensorFlow saved none there.
 *
 * @throws {CkptError} CHECKPOINT_NOT_FOUND when all that the `checkpoint` file names are gone; BUNDLE_INVALID or UNSAFE_PATH
 *   for that file; FILE_SYSTEM.
 */
export async function describeSavedFolder(
  path: string,
  { limit }: DescribeRunOptions,
): Promise<SavedFolderDescription | undefined> {
  const found = await listCheckpoints(path).catch((error: unknown) => {
    if (isCkptError(error, "CHECKPOINT_NOT_FOUND") && error.details.skipped.length === 0) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  const checkpoints: SavedCheckpointDescription[] = [];
  const invalid: InvalidCheckpoint[] = [];
  for (const checkpoint of limit === 0 ? found.checkpoints : found.checkpoints.slice(-limit)) {
    try {
      checkpoints.push(await describeCheckpoint(checkpoint));
    } catch (error) {
      if (!isCkptError(error)) throw error;
      invalid.push({ id: checkpoint.name, reason: error.message });
    }
  }
  return {
    path,
    checkpointCount: found.checkpoints.length - invalid.length,
    checkpoints,
    missing: found.missing,
    invalid,
  };
}

async function describeCheckpoint(checkpoint: ListedCheckpoint): Promise<SavedCheckpointDescription> {
  const bundle = await openBundle(checkpoint.prefix);
  try {
    return { ...checkpoint, format: bundle.format, tensorCount: bundle.entries.size };
  } finally {
    await bundle.close();
  }
}
