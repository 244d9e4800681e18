import { CkptError } from "@ckpt/manifest";

import type { TensorEntry } from "./bundle-entry.js";
import { isReadable, type ListedDtype, type TensorDtype, tensorDtypes, type TensorValue } from "./tensor-value.js";

/** An open checkpoint: what is in it is known, the tensors are read when asked for. */
export interface CheckpointReader {
  /** The path it was opened by. */
  readonly prefix: string;
  /** `bundle` has an index and data files (V2), `table` is one file or one a device (V1). */
  readonly format: "bundle" | "table";
  /** Dtype and shape of every tensor by its key, in the order of the keys; a partitioned one is listed whole. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /**
   * Reads a tensor and checks it against its checksum. Several may be read at once; each read takes memory of its own,
   * at most eight times the bytes it has in the files, and an object besides for each string.
   *
   * @throws {CkptError} WEIGHTS_MISMATCH for a key that is not there; BUNDLE_INVALID; UNSUPPORTED_DTYPE; FILE_SYSTEM.
   */
  read(key: string): Promise<TensorValue>;
  /** Closes its files; nothing can be read after that. */
  close(): Promise<void>;
}

/** The error for a tensor that was asked for and is not there. */
export function missingTensor(prefix: string, key: string): CkptError<"WEIGHTS_MISMATCH"> {
  const details = { path: prefix, weight: key, expected: "a tensor of that name", found: "none" };
  return new CkptError("WEIGHTS_MISMATCH", details);
}

/**
 * Accepts the dtypes that can be read.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE.
 */
export function checkReadable(dtype: ListedDtype, where: string): TensorDtype {
  if (isReadable(dtype)) return dtype;
  throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: tensorDtypes });
}
