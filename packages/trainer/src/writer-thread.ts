import { parentPort } from "node:worker_threads";

import { nodeFileSystem } from "@ckpt/manifest";

import { performRunTask, type RunTask, type RunTaskResults } from "./run-task.js";
import { type SentError, serializeError } from "./sent-error.js";

/** A task on its way to the thread. */
export interface WriterCall {
  readonly id: number;
  readonly task: RunTask;
}

/** What the thread answers to the call of the same `id`. */
export type WriterReply = { readonly id: number } & (
  | { readonly result: RunTaskResults[RunTask["kind"]] }
  | { readonly error: SentError }
);

// The entry of the thread that a run is written on. It must not load TensorFlow.js: that is a second of start-up and a
// second engine.
let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (call: WriterCall) => {
  last = reply(call, last);
});

async function reply({ id, task }: WriterCall, before: Promise<void>): Promise<void> {
  await before;
  parentPort?.postMessage(await answer(id, task));
}

async function answer(id: number, task: RunTask): Promise<WriterReply> {
  try {
    return { id, result: await performRunTask(task, nodeFileSystem) };
  } catch (error) {
    return { id, error: serializeError(error) };
  }
}
