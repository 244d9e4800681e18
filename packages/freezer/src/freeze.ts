import { basename } from "node:path";

import { artifactPath, CkptError } from "@ckpt/manifest";

import { runFreezeJobs } from "./freeze-jobs.js";
import {
  type FormatOptions,
  type FreezeResult,
  type GraphOptions,
  type PieceOptions,
  toArtifactRequest,
} from "./freeze-options.js";
import { readSource } from "./read-source.js";
import type { ModelSource, RunSource } from "./source.js";
import type { WorkerOptions } from "./worker-options.js";

/** What to freeze, where to, and how. */
export interface FreezeOptions extends FormatOptions, GraphOptions, PieceOptions {
  /**
   * A checkpoint folder, the `model.json` of a LayersModel or GraphModel, the prefix of a checkpoint of TensorFlow's, or a
   * SavedModel: its path, or what `readSource` made of it.
   */
  readonly source: string | ModelSource;
  /** The artifact's folder: new, empty, or an artifact to be replaced when its source or formats are others. */
  readonly out: string;
}

/** Which run to freeze, and how. */
export interface FreezeRunOptions extends FormatOptions, PieceOptions {
  /** A run: its folder, or what `readSource` made of it. */
  readonly run: string | RunSource;
  /** Freezes several checkpoints at the same time. Default: one after the other, in this thread. */
  readonly workers?: WorkerOptions;
}

/**
 * Freezes one model into an artifact: every format is written, compared with the model itself at batch sizes the
 * capture did not use, and committed as a whole or not at all. An artifact of the same source and formats that is
 * there already is left as it is. Custom layers have to be registered with `tf.serialization.registerClass` before.
 * Runs on the current TensorFlow.js backend and leaves no tensor behind.
 *
 * @throws {CkptError} what {@link readSource} throws; a damaged file by name (FILE_MISSING, SIZE_MISMATCH,
 *   DIGEST_MISMATCH, UNSAFE_PATH); MODEL_UNREADABLE, WEIGHTS_MISMATCH and UNSUPPORTED_DTYPE for a model that cannot be
 *   used; IMPURE_COMPUTATION and UNSUPPORTED_SHAPE for a computation that cannot be captured; UNSUPPORTED_OP with
 *   everything the formats cannot express; OUTPUTS_NOT_NAMED for a graph of TensorFlow without a signature;
 *   PARITY_FAILED and ENGINE_FAILED when what was written is not the model; TARGET_EXISTS when `out` holds something else;
 *   MANIFEST_MISSING when the checkpoint has been removed since it was read; INVALID_OPTION.
 */
export async function freeze({ source, out, ...options }: FreezeOptions): Promise<FreezeResult> {
  const found = typeof source === "string" ? await readSource(source) : source;
  if (found.kind === "run" || found.kind === "tensorflow-folder") {
    const expected = "one checkpoint or model";
    const runOf = `${found.kind} with ${found.checkpoints.length} checkpoint(s): ${found.path}`;
    throw new CkptError("INVALID_OPTION", { option: "source", expected, found: runOf });
  }
  const [result] = await runFreezeJobs([{ source: found, out }], {
    ...toArtifactRequest(options, options),
    onProgress: options.onProgress ?? (() => {}),
    isSkippingRemoved: false,
  });
  if (result === undefined) throw new TypeError("A job has a result.");
  return result;
}

/**
 * Freezes every committed checkpoint of a run into the run's own `artifacts/`, by ascending step, averages after the
 * trained checkpoint of their step; each artifact's folder is named as its checkpoint's. The model is captured once;
 * further checkpoints only bring their weights. Artifacts that are there already are not made again. A checkpoint that
 * the run's trainer has removed since `run` was read is left out, with a `skipped` event.
 *
 * @throws {CkptError} RUN_NOT_FOUND when it is no run; CHECKPOINT_NOT_FOUND when none of its checkpoints is there any
 *   more; and what {@link freeze} throws, at the first checkpoint that fails; artifacts made before stay.
 */
export async function freezeRun({ run, workers, ...options }: FreezeRunOptions): Promise<readonly FreezeResult[]> {
  const found = typeof run === "string" ? await readSource(run) : run;
  if (found.kind !== "run") throw new CkptError("RUN_NOT_FOUND", { path: found.path });
  const jobs = found.checkpoints.map((source) => ({ source, out: artifactPath(found.path, basename(source.path)) }));
  const results = await runFreezeJobs(jobs, {
    ...toArtifactRequest(options, options),
    onProgress: options.onProgress ?? (() => {}),
    isSkippingRemoved: true,
    workers,
  });
  if (results.length === 0) throw new CkptError("CHECKPOINT_NOT_FOUND", { path: found.path, skipped: found.skipped });
  return results;
}
