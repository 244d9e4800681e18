import { Worker } from "node:worker_threads";

import { ThreadLost } from "./failure.js";
import { createInputPlaces, type InputPlaces } from "./input-places.js";
import type { EngineCallName, EngineCalls, EngineReply, EngineWorkerData } from "./worker-message.js";

/** A thread that answers {@link EngineCalls}. */
export interface EngineWorker {
  /** Rejects with a plain Error that says why when the call fails or the thread is or gets lost; it never hangs. */
  call<Name extends EngineCallName>(
    name: Name,
    request: EngineCalls[Name]["request"],
  ): Promise<EngineCalls[Name]["response"]>;
  /** Where inputs of `run` and `time` are handed over. */
  readonly places: InputPlaces;
  /** False once the thread is lost. */
  isAlive(): boolean;
  /** Ends the thread once its running call is done; calls that still wait for an answer are rejected. */
  stop(): Promise<void>;
}

interface PendingCall {
  resolve(response: EngineReply): void;
  reject(error: Error): void;
}

/** One listener of the process for all threads: Node warns of more than ten. */
const beforeExit = new Set<() => void>();
process.on("exit", () => {
  for (const wait of beforeExit) wait();
});

/** How long an ending process waits for the call that its thread is in. */
const exitTimeoutMs = 10_000;

/** Starts a thread with this module, to be called at once: between calls it does not keep the process alive. */
export function startEngineWorker(entry: URL): EngineWorker {
  const openCalls = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: EngineWorkerData = { openCalls };
  const worker = new Worker(entry, { name: "ckpt-engine", workerData });
  const pending = new Map<number, PendingCall>();
  let callCount = 0;
  let loss: Error | undefined;

  // onnxruntime-node 1.30 aborts the whole process when its thread is ended in the middle of a native call. Blocking
  // here is harmless: the thread needs nothing of this one to finish the call.
  const waitForCalls = (): void => {
    const deadline = Date.now() + exitTimeoutMs;
    for (;;) {
      const count = Atomics.load(openCalls, 0);
      const leftMs = deadline - Date.now();
      if (count === 0 || leftMs <= 0 || loss !== undefined) return;
      Atomics.wait(openCalls, 0, count, leftMs);
    }
  };
  const lose = (error: Error): void => {
    loss ??= new ThreadLost(error.message, { cause: error });
    beforeExit.delete(waitForCalls);
    for (const call of pending.values()) call.reject(loss);
    pending.clear();
  };
  beforeExit.add(waitForCalls);
  worker.on("message", (reply: EngineReply) => {
    const call = pending.get(reply.id);
    pending.delete(reply.id);
    if (pending.size === 0) worker.unref();
    call?.resolve(reply);
  });
  worker.on("messageerror", lose);
  worker.on("error", lose);
  worker.on("exit", (code) => lose(new Error(`the worker thread ended with exit code ${code}`)));

  return {
    call: async <Name extends EngineCallName>(
      name: Name,
      request: EngineCalls[Name]["request"],
    ): Promise<EngineCalls[Name]["response"]> => {
      if (loss !== undefined) throw loss;
      const id = ++callCount;
      const reply = await new Promise<EngineReply>((resolve, reject) => {
        pending.set(id, { resolve, reject });
        worker.ref();
        Atomics.add(openCalls, 0, 1);
        worker.postMessage({ id, name, request });
      });
      if ("failure" in reply) throw new Error(reply.failure);
      return reply.response;
    },
    places: createInputPlaces(),
    isAlive: () => loss === undefined,
    stop: async () => {
      waitForCalls();
      await worker.terminate();
    },
  };
}
