import type { FreezeJob } from "./job-freezer.js";
import { isTensorFlowSource } from "./source.js";

/** Threads that freeze checkpoints at the same time. */
export interface WorkerOptions {
  /**
   * URL of a module whose export `setUpFreezeWorker` is called in each worker before anything else, with `data`; it
   * registers layers and chooses the backend there as it was done here. May return a promise.
   */
  readonly module: string;
  /** Anything that can be sent to a thread. */
  readonly data?: unknown;
  /**
   * 1 is none: everything is done in this thread. More are waited for, also where it does not pay. Default: as cores, memory
   * and the number of jobs allow, once it pays.
   */
  readonly count?: number;
}

/** What the machine has. */
export interface Machine {
  readonly coreCount: number;
  readonly freeBytes: number;
}

/** Memory of a thread with TensorFlow.js and onnxruntime-node in it: 150 MiB. */
const baseBytes = 150 << 20;
/** Measured: a checkpoint is in memory as read, as tensors, as a graph, as written, and as read and run again. */
const copiesOfWeights = 14;
/** To start a worker: loading TensorFlow.js, on a core that does nothing else. */
const startMs = 1500;

/** As many workers as there are jobs, as cores, and as fit into half of the free memory; 1 or more. */
export function chooseWorkerCount(jobs: readonly FreezeJob[], { coreCount, freeBytes }: Machine): number {
  const weightBytes = Math.max(
    0,
    ...jobs.map(({ source }) => {
      if (isTensorFlowSource(source)) return source.sizeBytes;
      return source.kind === "checkpoint" ? sizeOf(source.files) : 0;
    }),
  );
  const fitting = Math.floor(freeBytes / 2 / (baseBytes + copiesOfWeights * weightBytes));
  return Math.max(1, Math.min(jobs.length, coreCount, fitting));
}

/**
 * Whether what is left to do takes several times as long as starting workers for it.
 *
 * @param jobMs - CPU time of one job: waiting for the disk gets no shorter by waiting for it in several threads.
 */
export function isWorthWorkers(jobMs: number, remainingCount: number): boolean {
  return jobMs * remainingCount > 3 * startMs;
}

function sizeOf(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((size, file) => size + file.sizeBytes, 0);
}
