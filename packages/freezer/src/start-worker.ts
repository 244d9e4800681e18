import { Worker } from "node:worker_threads";

import type { FreezeResult } from "./freeze-options.js";
import type { WorkerCall, WorkerMessage, WorkerSetUp } from "./freeze-worker.js";
import type { JobFreezer, JobRequest } from "./job-freezer.js";
import type { FreezeProgress } from "./progress.js";
import { restoreError } from "./sent-error.js";
import type { WorkerOptions } from "./worker-options.js";

/** A thread that freezes one model after the other. */
export interface FreezeWorker extends Pick<JobFreezer, "freeze"> {
  /** Settles once it is set up; rejects when that failed. */
  readonly ready: Promise<unknown>;
  /** Ends the thread; between jobs. */
  readonly stop: () => Promise<void>;
}

/** The one thing that the thread is doing. */
interface Waiting {
  readonly onProgress: (event: FreezeProgress) => void;
  readonly resolve: (result: FreezeResult | undefined) => void;
  readonly reject: (error: Error) => void;
}

// Run from source, the entry keeps the extension that it has there: Node resolves a worker's entry without help.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./freeze-worker.ts" : "./freeze-worker.js", import.meta.url);

/** Starts a thread for jobs with this request. */
export function startWorker({ module, data }: WorkerOptions, request: JobRequest): FreezeWorker {
  const worker = new Worker(entry, {
    name: "ckpt-freezer",
    workerData: { module, data, request } satisfies WorkerSetUp,
  });
  let waiting: Waiting | undefined;
  let loss: Error | undefined;
  const wait = (onProgress: Waiting["onProgress"]): Promise<FreezeResult | undefined> =>
    new Promise((resolve, reject) => {
      if (loss === undefined) waiting = { onProgress, resolve, reject };
      else reject(loss);
    });
  const settle = (use: (taken: Waiting) => void): void => {
    const taken = waiting;
    waiting = undefined;
    if (taken !== undefined) use(taken);
  };
  const lose = (error: Error): void => {
    loss ??= error;
    settle(({ reject }) => {
      reject(error);
    });
  };
  // What `onProgress` throws ends the job's promise, but the thread first comes to the end of the job.
  let thrown: Error | undefined;
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "progress") {
      try {
        waiting?.onProgress(message.event);
      } catch (error) {
        thrown ??= error as Error;
      }
      return;
    }
    settle(({ resolve, reject }) => {
      if (thrown !== undefined) reject(thrown);
      else if (message.kind === "error") reject(restoreError(message.error));
      else resolve(message.kind === "result" ? message.result : undefined);
    });
  });
  worker.on("messageerror", lose);
  worker.on("error", lose);
  worker.on("exit", (code) => {
    lose(new Error(`a worker ended with exit code ${code}`));
  });
  return {
    ready: wait(() => {}),
    freeze: (job, earlier, onProgress) => {
      const result = wait(onProgress);
      worker.postMessage({ job, earlier } satisfies WorkerCall);
      return result;
    },
    stop: async () => {
      await worker.terminate();
    },
  };
}
