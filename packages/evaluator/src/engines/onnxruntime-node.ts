import { join } from "node:path";

import { formatPaths } from "@ckpt/manifest";

import type { InferenceEngine } from "../engine.js";
import { createEngineThreads } from "./engine-threads.js";
import { openWorkerSession } from "./worker-session.js";

const name = "onnxruntime-node";

/** The thread's module. Run from source, it keeps the extension that it has there. */
export const onnxWorkerEntry: URL = new URL(
  import.meta.url.endsWith(".ts") ? "./onnx-worker.ts" : "./onnx-worker.js",
  import.meta.url,
);

const threads = createEngineThreads(name, onnxWorkerEntry, {});

/**
 * The engine for ONNX. `run()` of onnxruntime-node blocks its thread, so it has worker threads, each started once (about
 * 45 ms) and shared by the sessions of the process that ask for it; one that died is replaced at the next `open`. A
 * session uses one core, so that its bits do not depend on how many there are.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when onnxruntime-node does not load, ENGINE_FAILED when the thread is lost.
 */
export async function loadOnnxRuntimeEngine(): Promise<InferenceEngine> {
  const { version } = await threads.get(0);
  return {
    name,
    version,
    format: "onnx",
    hasThreads: true,
    isBatchInvariant: true,
    open: async (artifact, signature, thread = 0) => {
      const { worker } = await threads.get(thread);
      const path = join(artifact, formatPaths.onnx);
      return openWorkerSession(worker, { engine: name, artifact, path, signature });
    },
  };
}
