import type { Signature } from "@ckpt/manifest";

import type { EngineName, Session } from "../engine.js";
import { checkNames, wrapFailure } from "./failure.js";
import type { EngineWorker } from "./start-engine-worker.js";

/** What is opened. */
export interface WorkerSessionOptions {
  readonly engine: EngineName;
  /** Folder of the artifact; named in errors. */
  readonly artifact: string;
  /** The model's file in it. */
  readonly path: string;
  readonly signature: Signature;
}

/**
 * Opens a session on an engine's thread.
 *
 * @throws {CkptError} ENGINE_FAILED, or SIGNATURE_MISMATCH when the file has other names than the signature.
 */
export async function openWorkerSession(
  worker: EngineWorker,
  { engine, artifact, path, signature }: WorkerSessionOptions,
): Promise<Session> {
  const attempt = <Result>(action: Promise<Result>): Promise<Result> => wrapFailure(engine, artifact, action);
  const { session, inputs, outputs } = await attempt(worker.call("open", { path, signature }));
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
      worker.places.use(signature, tensors, (place, shared) =>
        attempt(worker.call("run", { session, place, inputs: shared, outputs: outputNames })),
      ),
    time: (tensors, count) =>
      worker.places.use(signature, tensors, (place, shared) =>
        attempt(worker.call("time", { session, place, inputs: shared, outputs: outputNames, count })),
      ),
    isLost: () => !worker.isAlive(),
    close: () => attempt(worker.call("close", { session })),
  };
}
