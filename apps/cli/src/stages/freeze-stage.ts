import {
  freeze,
  freezeFolder,
  freezeRun,
  type FreezeRunOptions,
  type FreezeProgress,
  type FreezeResult,
  type GraphOptions,
  type ModelSource,
  type RunSource,
  type TensorFlowFolderSource,
} from "@ckpt/freezer";
import type { ParityRecord } from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import type { LoadedConfig } from "../load-config.js";
import type { Progress } from "../progress.js";
import { type FreezeSetUp, freezeWorkerModule } from "../set-up-freeze-worker.js";
import { formatBytes } from "../table.js";

/** What to write of which piece of a model. */
export type FreezeRequest = Omit<FreezeRunOptions, "run" | "workers" | "onProgress">;

/** How checkpoints are frozen at the same time. */
export interface FreezeWorkers {
  /** Default: as cores, memory and the number of checkpoints allow, where it pays. */
  readonly count?: number;
  readonly setUp: FreezeSetUp;
}

/** The backend that a configuration asks for. */
export function describeBackend(config: LoadedConfig | undefined): Pick<FreezeSetUp, "backend"> {
  const backend = config?.config.backend;
  return backend === undefined ? {} : { backend };
}

/** Freezes every checkpoint of a run, and says on stderr what was left out, written and verified. */
export async function freezeRunStage(
  run: RunSource,
  request: FreezeRequest,
  { setUp: data, ...count }: FreezeWorkers,
  context: CommandContext,
): Promise<readonly FreezeResult[]> {
  for (const reason of run.skipped) context.progress.warn(`freeze    left out: ${reason}`);
  const workers = { module: freezeWorkerModule, data, ...count };
  return freezeRun({ run, ...request, workers, onProgress: followFreezing(context) });
}

/** Freezes every checkpoint of a folder of TensorFlow's into folders below `out`, and says on stderr what became of them. */
export async function freezeFolderStage(
  folder: TensorFlowFolderSource,
  out: string | undefined,
  request: Omit<FreezeRequest, "inputs" | "furtherSignatures"> & GraphOptions,
  { setUp: data, ...count }: FreezeWorkers,
  context: CommandContext,
): Promise<readonly FreezeResult[]> {
  for (const reason of folder.skipped) context.progress.warn(`freeze    left out: ${reason}`);
  const workers = { module: freezeWorkerModule, data, ...count };
  const target = out === undefined ? {} : { out };
  return freezeFolder({ folder, ...target, ...request, workers, onProgress: followFreezing(context) });
}

/** Freezes one model into the folder `out`, and says on stderr what was written and verified. */
export async function freezeModelStage(
  source: ModelSource,
  out: string,
  request: FreezeRequest & GraphOptions,
  context: CommandContext,
): Promise<FreezeResult> {
  return freeze({ source, out, ...request, onProgress: followFreezing(context) });
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
    case "failed":
      progress.warn(`freeze    ${event.source} failed`);
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
