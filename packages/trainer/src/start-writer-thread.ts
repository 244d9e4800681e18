import { Worker } from "node:worker_threads";

import { CkptError } from "@ckpt/manifest";

import type { RunTask, RunTaskResults } from "./run-task.js";
import { restoreError } from "./sent-error.js";
import type { WriterCall, WriterReply } from "./writer-thread.js";

/** A thread that does what it is given, one task after the other. */
export interface WriterThread {
  /** Rejects when the task fails or the thread is or gets lost; it never hangs. */
  call<Task extends RunTask>(task: Task): Promise<RunTaskResults[Task["kind"]]>;
  /** False once the thread is lost. */
  isAlive(): boolean;
}

interface PendingCall {
  readonly task: RunTask;
  readonly resolve: (result: RunTaskResults[RunTask["kind"]]) => void;
  readonly reject: (error: Error) => void;
}

// Run from source, the entry keeps the extension that it has there: Node resolves a worker's entry without help.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./writer-thread.ts" : "./writer-thread.js", import.meta.url);

let shared: WriterThread | undefined;

/**
 * The thread that the runs of this process are written on. It is started by the first and stays, idle, for the next: to
 * start one takes longer than most saves. Between tasks it does not keep the process alive.
 */
export function shareWriterThread(): WriterThread {
  if (shared?.isAlive() !== true) shared = startWriterThread();
  return shared;
}

function startWriterThread(): WriterThread {
  const worker = new Worker(entry, { name: "ckpt-writer" });
  worker.unref();
  const pending = new Map<number, PendingCall>();
  let callCount = 0;
  let loss: Error | undefined;

  const lose = (error: Error): void => {
    loss ??= error;
    for (const { task, reject } of pending.values()) reject(describeLoss(task, loss));
    pending.clear();
    // Otherwise it might go on beside its successor.
    void worker.terminate();
  };
  worker.on("message", (reply: WriterReply) => {
    const call = pending.get(reply.id);
    pending.delete(reply.id);
    if ("error" in reply) call?.reject(restoreError(reply.error));
    else call?.resolve(reply.result);
    if (pending.size === 0) worker.unref();
  });
  worker.on("messageerror", lose);
  worker.on("error", lose);
  worker.on("exit", (code) => lose(new Error(`it ended with exit code ${code}`)));

  return {
    call: <Task extends RunTask>(task: Task) =>
      new Promise<RunTaskResults[Task["kind"]]>((resolve, reject) => {
        if (loss !== undefined) {
          reject(describeLoss(task, loss));
          return;
        }
        const id = ++callCount;
        // First, since a task that cannot be sent makes it throw.
        worker.postMessage({ id, task } satisfies WriterCall);
        pending.set(id, { task, resolve: resolve as PendingCall["resolve"], reject });
        worker.ref();
      }),
    isAlive: () => loss === undefined,
  };
}

/** Whether the task was done is not known. */
function describeLoss(task: RunTask, cause: Error): CkptError {
  const path = "path" in task ? task.path : task.run;
  const reason = `the thread that writes the run was lost: ${cause.message}`;
  return new CkptError("FILE_SYSTEM", { path, operation: task.kind, reason }, { cause });
}
