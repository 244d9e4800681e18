import {
  freeze,
  freezeRun,
  type FormatOptions,
  type FreezeProgress,
  type FreezeResult,
  type ModelSource,
  type RunSource,
} from "@ckpt/freezer";
import type { ParityRecord } from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import type { Progress } from "../progress.js";
import { formatBytes } from "../table.js";

/** Freezes every checkpoint of a run, and says on stderr what was left out, written and verified. */
export async function freezeRunStage(
  run: RunSource,
  options: FormatOptions,
  context: CommandContext,
): Promise<readonly FreezeResult[]> {
  for (const reason of run.skipped) context.progress.warn(`freeze    left out: ${reason}`);
  return freezeRun({ run, ...options, onProgress: followFreezing(context) });
}

/** Freezes one model into the folder `out`, and says on stderr what was written and verified. */
export async function freezeModelStage(
  source: ModelSource,
  out: string,
  options: FormatOptions,
  context: CommandContext,
): Promise<FreezeResult> {
  return freeze({ source, out, ...options, onProgress: followFreezing(context) });
}

function followFreezing({ progress, signal }: CommandContext): (event: FreezeProgress) => void {
  return (event) => {
    signal.throwIfAborted();
    reportFreezing(event, progress);
  };
}

/** The largest error of all formats and outputs in exponent form, or `unverified` if none was compared. */
export function formatParity(parity: readonly ParityRecord[]): string {
  if (parity.length === 0) return "unverified";
  return Math.max(...parity.map((record) => record.maxAbsoluteError)).toExponential(1);
}

function reportFreezing(event: FreezeProgress, progress: Progress): void {
  switch (event.kind) {
    case "captured":
      progress.update(`freeze    captured ${event.source}: ${event.nodeCount} nodes`);
      return;
    case "corrected":
      progress.warn(
        `freeze    ${event.source} on ${event.backend}: ${event.reason}; the frozen model is right, the checkpoint's own is not`,
      );
      return;
    case "verified":
      progress.update(`freeze    ${event.source} ${event.format} within ${event.maxAbsoluteError.toExponential(1)}`);
      return;
    case "unverified":
      progress.warn(`freeze    ${event.source} ${event.format} was not verified: ${event.reason}`);
      return;
    case "skipped":
      progress.warn(`freeze    left out: ${event.reason}`);
      return;
    case "artifact": {
      const written = `${formatBytes(event.sizeBytes)}, parity ${formatParity(event.parity)}`;
      const state = event.isReused ? "is there already" : written;
      progress.done(`freeze    ${event.index}/${event.count} ${event.path}  ${state}`);
      return;
    }
    default:
      throw new TypeError(`unknown progress ${JSON.stringify(event satisfies never)}`);
  }
}
