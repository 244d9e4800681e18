import { availableParallelism } from "node:os";

/** What a thread with a session and its batches is reckoned at; a dense network of a million weights takes 60 MB. */
const workerBytes = 256 << 20;

/** As many threads as there are cores, and as half of the memory that this process may still take has room for. */
export function countWorkers(): number {
  const room = Math.floor(process.availableMemory() / 2 / workerBytes);
  return Math.max(1, Math.min(availableParallelism(), room));
}
