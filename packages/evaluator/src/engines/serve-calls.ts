import { parentPort, workerData } from "node:worker_threads";

import type { TensorData } from "@ckpt/manifest";

import type { EngineCallName, EngineCalls, EngineReply, EngineRequest, EngineWorkerData } from "./worker-message.js";

/** What a worker thread does for each call. What one throws is the call's failure. */
export type EngineCallHandlers = {
  readonly [Name in EngineCallName]: (request: EngineCalls[Name]["request"]) => Promise<EngineCalls[Name]["response"]>;
};

/** Answers the calls of `startEngineWorker` in the worker thread that this runs in, until the thread is ended. */
export function serveCalls(handlers: EngineCallHandlers): void {
  const port = parentPort;
  if (port === null) throw new TypeError("an engine's worker runs in a worker thread only");
  const { openCalls } = workerData as EngineWorkerData;
  port.on("message", (message: EngineRequest) => {
    void answer(message, handlers).then(({ reply, transfer }) => {
      port.postMessage(reply, transfer);
      Atomics.sub(openCalls, 0, 1);
      return Atomics.notify(openCalls, 0);
    });
  });
}

async function answer(
  message: EngineRequest,
  handlers: EngineCallHandlers,
): Promise<{ readonly reply: EngineReply; readonly transfer: ArrayBuffer[] }> {
  try {
    const response = await handlers[message.name](message.request as never);
    const transfer = message.name === "run" ? buffersOf(response as EngineCalls["run"]["response"]) : [];
    return { reply: { id: message.id, response }, transfer };
  } catch (error) {
    return { reply: { id: message.id, failure: (error as Error).message }, transfer: [] };
  }
}

function buffersOf(tensors: Readonly<Record<string, TensorData>>): ArrayBuffer[] {
  return Object.values(tensors).map((tensor) => tensor.data.buffer as ArrayBuffer);
}
