import { CkptError } from "@ckpt/manifest";

/** The error for a file whose bytes are not what the format says; `reason` continues "not a valid checkpoint: ". */
export function damaged(path: string, reason: string): CkptError<"BUNDLE_INVALID"> {
  return new CkptError("BUNDLE_INVALID", { path, reason });
}
