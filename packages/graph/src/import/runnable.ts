import { CkptError, isCkptError } from "@ckpt/manifest";

/**
 * Does what makes TensorFlow.js run a graph, which may be one that TensorFlow would refuse.
 *
 * @throws {CkptError} MODEL_UNREADABLE with what TensorFlow.js says; a CkptError of a recorder is passed on.
 */
export async function runnable<Result>(path: string, action: () => Result): Promise<Awaited<Result>> {
  try {
    return await action();
  } catch (cause) {
    if (isCkptError(cause)) throw cause;
    const reason = `TensorFlow.js cannot run its graph: ${(cause as Error).message}`;
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Export the model again." }, { cause });
  }
}
