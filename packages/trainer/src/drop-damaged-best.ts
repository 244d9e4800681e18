import { verifyFiles } from "@ckpt/manifest";

import type { Checkpoint, SkippedCheckpoint } from "./checkpoint-store.js";
import { findBest } from "./find-best.js";
import type { Monitor } from "./metric-mode.js";

/**
 * Leaves out checkpoints that would be the best by a monitored metric but are not as they were committed, so that the
 * best there is can be loaded. The others' files are not read: they may be many.
 *
 * @param verifiedStep - Was checked already.
 */
export async function dropDamagedBest(
  checkpoints: readonly Checkpoint[],
  monitors: readonly Monitor[],
  verifiedStep: number,
): Promise<{ readonly checkpoints: readonly Checkpoint[]; readonly skipped: readonly SkippedCheckpoint[] }> {
  const skipped: SkippedCheckpoint[] = [];
  const verified = new Set([verifiedStep]);
  let left = checkpoints;
  for (const monitor of monitors) {
    for (
      let best = findBest(left, monitor);
      best !== undefined && !verified.has(best.step);
      best = findBest(left, monitor)
    ) {
      const { path, step, manifest } = best;
      const [problem] = await verifyFiles(path, manifest.files);
      if (problem === undefined) verified.add(step);
      else {
        skipped.push({ path, reason: problem });
        left = left.filter((checkpoint) => checkpoint.step !== step);
      }
    }
  }
  return { checkpoints: left, skipped };
}
