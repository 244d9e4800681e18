import { CkptError } from "@ckpt/manifest";

/** @throws {CkptError} IMPURE_COMPUTATION, always; outside of any layer it names the captured function. */
export function failImpure(layer: string, reason: string): never {
  throw new CkptError("IMPURE_COMPUTATION", { layer: layer === "" ? "the captured function" : layer, reason });
}
