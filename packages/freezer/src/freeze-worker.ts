import { parentPort, workerData } from "node:worker_threads";

import type { EarlierArtifact } from "./earlier-artifact.js";
import type { FreezeResult } from "./freeze-options.js";
import { createJobFreezer, type FreezeJob, type JobRequest } from "./job-freezer.js";
import type { FreezeProgress } from "./progress.js";
import { type SentError, serializeError } from "./sent-error.js";

/** What a worker is started with. */
export interface WorkerSetUp {
  readonly module: string;
  readonly data: unknown;
  readonly request: JobRequest;
}

/** A job on its way to a worker; it has one at a time. */
export interface WorkerCall {
  readonly job: FreezeJob;
  readonly earlier: EarlierArtifact | undefined;
}

/** What a worker says: first `ready`, then to each job any number of `progress` and one `result` or `error`. */
export type WorkerMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly event: FreezeProgress }
  | { readonly kind: "result"; readonly result: FreezeResult | undefined }
  | { readonly kind: "error"; readonly error: SentError };

const { module, data, request } = workerData as WorkerSetUp;
const freezer = createJobFreezer(request);

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

async function answer({ job, earlier }: WorkerCall): Promise<void> {
  try {
    const result = await freezer.freeze(job, earlier, (event) => {
      send({ kind: "progress", event });
    });
    send({ kind: "result", result });
  } catch (error) {
    send({ kind: "error", error: serializeError(error, job.source.path) });
  }
}

try {
  const { setUpFreezeWorker } = (await import(module)) as {
    readonly setUpFreezeWorker: (data: unknown) => unknown;
  };
  await setUpFreezeWorker(data);
  parentPort?.on("message", (call: WorkerCall) => void answer(call));
  send({ kind: "ready" });
} catch (error) {
  send({ kind: "error", error: serializeError(error, module) });
}
