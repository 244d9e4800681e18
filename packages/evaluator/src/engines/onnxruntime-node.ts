import { join } from "node:path";

import { CkptError, formatPaths, type Signature } from "@ckpt/manifest";

import type { InferenceEngine, Session } from "../engine.js";
import { checkNames, wrapFailure } from "./failure.js";
import { type OnnxWorker, startOnnxWorker } from "./start-onnx-worker.js";

const name = "onnxruntime-node";

interface Thread {
  readonly worker: OnnxWorker;
  readonly version: string;
}

/** By number; started when first asked for. */
const threads: (Promise<Thread> | undefined)[] = [];

/**
 * The engine for ONNX. `run()` of onnxruntime-node blocks its thread, so it has worker threads, each started once (about
 * 45 ms) and shared by the sessions of the process that ask for it; one that died is replaced at the next `open`. A
 * session uses one core, so that its bits do not depend on how many there are.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when onnxruntime-node does not load, ENGINE_FAILED when the thread is lost.
 */
export async function loadOnnxRuntimeEngine(): Promise<InferenceEngine> {
  const { version } = await getThread(0);
  return {
    name,
    version,
    format: "onnx",
    hasThreads: true,
    isBatchInvariant: true,
    open: async (artifact, signature, thread = 0) =>
      openOnnxSession((await getThread(thread)).worker, artifact, signature),
  };
}

async function getThread(index: number): Promise<Thread> {
  const known = threads[index];
  const found = await known?.catch(() => undefined);
  if (found?.worker.isAlive() === true) return found;
  // Another caller may have replaced it while this one waited.
  if (threads[index] === known) threads[index] = startThread();
  return threads[index]!;
}

async function startThread(): Promise<Thread> {
  const worker = startOnnxWorker();
  try {
    const { version } = await worker.call("load", {});
    return { worker, version };
  } catch (cause) {
    // A thread that is still there answered: it is the package that does not load.
    const reason = (cause as Error).message;
    if (!worker.isAlive())
      throw new CkptError("ENGINE_FAILED", { engine: name, artifact: "worker", reason }, { cause });
    await worker.stop();
    throw new CkptError("ENGINE_UNAVAILABLE", { engine: name, package: name, reason }, { cause });
  }
}

/** Opens a session on a given thread; what {@link loadOnnxRuntimeEngine} does on its own. */
export async function openOnnxSession(worker: OnnxWorker, artifact: string, signature: Signature): Promise<Session> {
  const path = join(artifact, formatPaths.onnx);
  const attempt = <Result>(action: Promise<Result>): Promise<Result> => wrapFailure(name, artifact, action);
  const { session, inputs, outputs } = await attempt(worker.call("open", { path }));
  const outputNames = signature.outputs.map((spec) => spec.name);
  checkNames(
    path,
    "inputs",
    signature.inputs.map((spec) => spec.name),
    inputs,
  );
  checkNames(path, "outputs", outputNames, outputs);
  return {
    predict: (tensors) =>
      worker.places.use(signature, tensors, (place, inputs) =>
        attempt(worker.call("run", { session, place, inputs, outputs: outputNames })),
      ),
    time: (tensors, count) =>
      worker.places.use(signature, tensors, (place, inputs) =>
        attempt(worker.call("time", { session, place, inputs, outputs: outputNames, count })),
      ),
    isLost: () => !worker.isAlive(),
    close: () => attempt(worker.call("close", { session })),
  };
}
