import { CkptError, isCkptError } from "@ckpt/manifest";

import type { EngineName } from "../engine.js";

/** An engine's thread is gone, and with it the calls it was in; nothing is said about what it ran. */
export class ThreadLost extends Error {}

/** Whether what an engine threw says that its thread is gone. */
export function isThreadLost(error: unknown): boolean {
  return isCkptError(error, "ENGINE_FAILED") && error.cause instanceof ThreadLost;
}

/** Passes the result on; whatever an engine throws becomes a CkptError ENGINE_FAILED with the reason. */
export async function wrapFailure<Result>(
  engine: EngineName,
  artifact: string,
  action: Promise<Result>,
): Promise<Result> {
  try {
    return await action;
  } catch (cause) {
    if (isCkptError(cause)) throw cause;
    throw new CkptError("ENGINE_FAILED", { engine, artifact, reason: (cause as Error).message }, { cause });
  }
}

/** Imports a package; what it throws becomes a CkptError ENGINE_UNAVAILABLE with the first line of the reason. */
export async function importPackage<Module>(
  engine: EngineName,
  packageName: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const reason = (cause as Error).message.split("\n", 1)[0] ?? "";
    throw new CkptError("ENGINE_UNAVAILABLE", { engine, package: packageName, reason }, { cause });
  }
}

/** @throws {CkptError} SIGNATURE_MISMATCH when a name of the signature is not among those that the file has. */
export function checkNames(
  path: string,
  kind: "inputs" | "outputs",
  expected: readonly string[],
  found: readonly string[],
): void {
  if (expected.every((name) => found.includes(name))) return;
  throw new CkptError("SIGNATURE_MISMATCH", {
    where: path,
    expected: `${kind} ${expected.join(", ")}`,
    found: found.join(", "),
  });
}
