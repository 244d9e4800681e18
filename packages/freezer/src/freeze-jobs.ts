import { availableParallelism, freemem } from "node:os";

import type { FreezeResult } from "./freeze-options.js";
import { createJobFreezer, type FreezeJob, type JobFreezer, type JobRequest } from "./job-freezer.js";
import { createJobQueue, type JobQueue } from "./job-queue.js";
import type { FreezeProgress } from "./progress.js";
import { startWorker } from "./start-worker.js";
import { chooseWorkerCount, isWorthWorkers, type WorkerOptions } from "./worker-options.js";

/** How a list of jobs is done. */
export interface FreezeJobsOptions extends JobRequest {
  readonly onProgress: (progress: FreezeProgress) => void;
  /** Default: all in this thread. */
  readonly workers?: WorkerOptions | undefined;
}

/**
 * Freezes models, one after the other or several at the same time: the files are the same for any number of workers, and
 * so is the order of progress and results. A topology is captured once for all jobs in a row that share it. No tensor
 * stays behind.
 *
 * @throws {CkptError} at the first job in the list that fails; of the others, those before it and those that were being
 *   done are finished and stay.
 */
export async function runFreezeJobs(
  jobs: readonly FreezeJob[],
  { onProgress, workers, ...request }: FreezeJobsOptions,
): Promise<readonly FreezeResult[]> {
  const queue = createJobQueue(jobs, onProgress);
  const local = createJobFreezer(request);
  const pool = workers === undefined ? undefined : createPool(workers, chooseCount(workers, jobs), request, queue);
  let writtenCount = 0;
  const observed: Pick<JobFreezer, "freeze"> = {
    freeze: async (...given) => {
      const result = await local.freeze(...given);
      if (result?.isReused === false) writtenCount++;
      return result;
    },
  };
  // What is there already is no work for workers. Until they are ready this thread goes on, unless they were asked for.
  const isWorkHere = (): boolean =>
    queue.remainingCount() > 0 && pool?.isReady() !== true && !(writtenCount > 0 && pool?.isAskedFor === true);
  try {
    while (isWorkHere()) {
      const [remaining, started] = [queue.remainingCount(), process.cpuUsage()];
      await queue.work(observed, () => queue.remainingCount() === remaining);
      // The first one takes longer: it captures the model and warms everything up.
      const { user, system } = process.cpuUsage(started);
      const isWorth = writtenCount > 1 && isWorthWorkers((user + system) / 1000, queue.remainingCount());
      if (isWorth || (writtenCount > 0 && pool?.isAskedFor === true)) pool?.start();
    }
  } finally {
    local.dispose();
    await pool?.finish();
  }
  return queue.finish();
}

function chooseCount({ count }: WorkerOptions, jobs: readonly FreezeJob[]): number {
  return count ?? chooseWorkerCount(jobs, { coreCount: availableParallelism(), freeBytes: freemem() });
}

/** Workers that are started when they are wanted. Until one of them is ready, others do the work. */
interface Pool {
  /** There are to be several, whether it pays or not. */
  readonly isAskedFor: boolean;
  /** Starts the workers, if there are to be more than one and they are not started yet. */
  readonly start: () => void;
  readonly isReady: () => boolean;
  /** Waits for the work to be done and ends the workers. */
  readonly finish: () => Promise<void>;
}

function createPool(options: WorkerOptions, count: number, request: JobRequest, queue: JobQueue): Pool {
  const stops: (() => Promise<void>)[] = [];
  const working: Promise<void>[] = [];
  let isReady = false;
  const startOne = async (): Promise<void> => {
    const worker = startWorker(options, request);
    stops.push(worker.stop);
    try {
      await worker.ready;
      isReady = true;
      await queue.work(worker, () => true);
    } catch (error) {
      // One that is not needed any more is stopped while it starts.
      if (queue.remainingCount() > 0) queue.fail(error);
    } finally {
      await worker.stop();
    }
  };
  return {
    isAskedFor: options.count !== undefined && count > 1,
    start: () => {
      const needed = Math.min(count, queue.remainingCount());
      if (count > 1 && working.length === 0) working.push(...Array.from({ length: needed }, startOne));
    },
    isReady: () => isReady,
    finish: async () => {
      if (!isReady && queue.remainingCount() === 0) await Promise.all(stops.map((stop) => stop()));
      await Promise.all(working);
    },
  };
}
