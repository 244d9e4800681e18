import { leaseFolder, verifyFiles } from "@ckpt/manifest";

import { type Checkpoint, readCheckpointContent } from "./checkpoint-store.js";
import { readParentModel } from "./parent-model.js";
import type { RestorableState } from "./training-state.js";

/**
 * Reads the weights of a checkpoint and what its optimizer remembers, after checking every byte of it; an average has
 * weights only. Training that goes on does not delete it meanwhile.
 *
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH, UNSAFE_PATH or FILE_SYSTEM, naming the file;
 *   MANIFEST_INVALID, SCHEMA_TOO_NEW or MODEL_UNREADABLE when a file is not what its name says.
 */
export async function readCheckpointState(checkpoint: Checkpoint): Promise<RestorableState> {
  const lease = await leaseFolder(checkpoint.path);
  try {
    if (checkpoint.manifest.parents !== undefined) return { weights: (await readParentModel(checkpoint)).weights };
    const [problem] = await verifyFiles(checkpoint.path, checkpoint.manifest.files);
    if (problem !== undefined) throw problem;
    return (await readCheckpointContent(checkpoint)).state;
  } finally {
    await lease.release();
  }
}
