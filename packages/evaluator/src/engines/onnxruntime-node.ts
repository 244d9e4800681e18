import { join } from "node:path";

import { CkptError, formatPaths, type Signature } from "@ckpt/manifest";

import type { InferenceEngine, NamedTensors, Session } from "../engine.js";
import { checkNames, wrapFailure } from "./failure.js";
import type { TypedTensor } from "./onnx-message.js";
import { type OnnxWorker, startOnnxWorker } from "./start-onnx-worker.js";

const name = "onnxruntime-node";

let running: { readonly worker: OnnxWorker; readonly version: string } | undefined;

/**
 * The engine for ONNX. `run()` of onnxruntime-node blocks its thread, so it has a worker thread, started once (about
 * 45 ms) and shared by all sessions of the process; one that died is replaced here.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when onnxruntime-node does not load, ENGINE_FAILED when the thread is lost.
 */
export async function loadOnnxRuntimeEngine(): Promise<InferenceEngine> {
  if (running === undefined || !running.worker.isAlive()) running = await startEngine();
  const { worker, version } = running;
  return {
    name,
    version,
    format: "onnx",
    open: (artifact, signature) => openOnnxSession(worker, artifact, signature),
  };
}

async function startEngine(): Promise<{ worker: OnnxWorker; version: string }> {
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

/** Opens a session on a given thread; what {@link loadOnnxRuntimeEngine} does on the shared one. */
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
    predict: (tensors) => {
      const copies = copyInputs(signature, tensors);
      const buffers = Object.values(copies).map((tensor) => tensor.data.buffer as ArrayBuffer);
      return attempt(worker.call("run", { session, inputs: copies, outputs: outputNames }, buffers));
    },
    close: () => attempt(worker.call("close", { session })),
  };
}

/**
 * Copies the rows to send. A view must not be posted as it is, since the whole array behind it would go along, and
 * ONNX Runtime rejects arrays over a SharedArrayBuffer.
 */
function copyInputs(signature: Signature, tensors: NamedTensors): Record<string, TypedTensor> {
  const copies: Record<string, TypedTensor> = {};
  for (const { name, dtype } of signature.inputs) {
    const tensor = tensors[name];
    if (tensor === undefined) throw new TypeError(`no tensor for input ${name}`);
    copies[name] = { dtype, data: tensor.data.slice(), shape: tensor.shape };
  }
  return copies;
}
