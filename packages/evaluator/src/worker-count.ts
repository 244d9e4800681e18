import { availableParallelism } from "node:os";

import { countFormatBytes } from "./count-format-bytes.js";
import { readArtifact } from "./read-artifact.js";

/** A thread with onnxruntime-node and its batches. */
const threadBytes = 128 << 20;
/** A session is reckoned at three times the bytes of its file: weights, what is prepared of them, and activations. */
const copiesOfModel = 3;

/**
 * As many threads as there are cores, and as half of the memory that this process may still take has room for, with some
 * sessions of an artifact on each; at least one.
 */
export async function countWorkers(artifact: string | undefined, sessionsPerThread: number): Promise<number> {
  const modelBytes = artifact === undefined ? 0 : await countModelBytes(artifact);
  const room = process.availableMemory() / 2 / (threadBytes + sessionsPerThread * copiesOfModel * modelBytes);
  return Math.max(1, Math.min(availableParallelism(), Math.floor(room)));
}

/** How many sessions of an artifact a quarter of the memory that this process may still take has room for; at least one. */
export async function countSessions(artifact: string): Promise<number> {
  const modelBytes = await countModelBytes(artifact);
  return Math.max(1, Math.floor(process.availableMemory() / 4 / (copiesOfModel * Math.max(1, modelBytes))));
}

/** Of the largest format; 0 for what is no artifact, which is said where it is scored. */
async function countModelBytes(path: string): Promise<number> {
  try {
    const artifact = await readArtifact(path);
    const sizes = artifact.manifest.formats.map((format) => countFormatBytes(artifact.manifest, format));
    return Math.max(0, ...sizes);
  } catch {
    return 0;
  }
}
