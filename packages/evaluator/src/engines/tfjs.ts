import { join } from "node:path";

import { formatPaths, isCkptError, type Signature } from "@ckpt/manifest";

import type { InferenceEngine, Session } from "../engine.js";
import { createEngineThreads, type EngineThreads } from "./engine-threads.js";
import { importPackage, wrapFailure } from "./failure.js";
import { openGraphModel } from "./open-graph-model.js";
import { checkShards } from "./read-graph-model.js";
import type { Tfjs } from "./tfjs-tensors.js";
import { timeCalls } from "./time-calls.js";
import { openWorkerSession } from "./worker-session.js";

const name = "tfjs";

// Run from source, the entry keeps the extension that it has there.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./tfjs-worker.ts" : "./tfjs-worker.js", import.meta.url);

/** By backend. */
const threadsOf = new Map<string, EngineThreads>();

/**
 * The engine for GraphModels, on TensorFlow.js's current backend, which is part of the version: backends differ in the
 * last bits. On `cpu`, and on `wasm` where its package is found, it has worker threads with a TensorFlow.js and a backend of
 * their own; on others it runs in the caller's thread, one batch at a time.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when `@tensorflow/tfjs` does not load.
 */
export async function loadTfjsEngine(): Promise<InferenceEngine> {
  const tf = await importPackage(name, "@tensorflow/tfjs", () => import("@tensorflow/tfjs"));
  await tf.ready();
  const backend = tf.getBackend();
  const threads = await findThreads(backend, tf.version.tfjs);
  const openSession = async (artifact: string, signature: Signature, thread: number): Promise<Session> => {
    const path = join(artifact, formatPaths["graph-model"]);
    if (threads === undefined) return openOwnSession(tf, { artifact, path, signature });
    await checkShards(path);
    const { worker } = await threads.get(thread);
    return openWorkerSession(worker, { engine: name, artifact, path, signature });
  };
  return {
    name,
    version: `${tf.version.tfjs}+${backend}`,
    format: "graph-model",
    hasThreads: threads !== undefined,
    isBatchInvariant: false,
    open: (artifact, signature, thread = 0) => wrapFailure(name, artifact, openSession(artifact, signature, thread)),
  };
}

/** None for a backend that a thread cannot have, or has in another version. */
async function findThreads(backend: string, version: string): Promise<EngineThreads | undefined> {
  if (backend !== "cpu" && backend !== "wasm") return undefined;
  const threads = threadsOf.get(backend) ?? createEngineThreads(name, entry, { backend });
  threadsOf.set(backend, threads);
  try {
    return (await threads.get(0)).version === version ? threads : undefined;
  } catch (error) {
    if (isCkptError(error, "ENGINE_UNAVAILABLE")) return undefined;
    throw error;
  }
}

/** In this thread. */
async function openOwnSession(
  tf: Tfjs,
  { artifact, path, signature }: { readonly artifact: string; readonly path: string; readonly signature: Signature },
): Promise<Session> {
  const model = await openGraphModel(tf, path, signature);
  return {
    predict: (inputs) => wrapFailure(name, artifact, model.predict(inputs)),
    time: (inputs, count) =>
      wrapFailure(
        name,
        artifact,
        timeCalls(count, () => model.predict(inputs)),
      ),
    isLost: () => false,
    close: () => {
      model.dispose();
      return Promise.resolve();
    },
  };
}
