import { basename, join } from "node:path";

import { CkptError, formatStepName, isCkptError, runLayout } from "@ckpt/manifest";

import { runFreezeJobs } from "./freeze-jobs.js";
import { type FormatOptions, type FreezeResult, type GraphOptions, toArtifactRequest } from "./freeze-options.js";
import { readSource } from "./read-source.js";
import type { TensorFlowCheckpointSource, TensorFlowFolderSource } from "./source.js";
import type { WorkerOptions } from "./worker-options.js";

/** Which checkpoints of TensorFlow's to freeze, and how. */
export interface FreezeFolderOptions extends FormatOptions, GraphOptions {
  /** The folder with the file `checkpoint`: its path, or what `readSource` made of it. */
  readonly folder: string | TensorFlowFolderSource;
  /** Gets an artifact for each checkpoint. Default: `artifacts` in the folder. */
  readonly out?: string;
  /** Nodes or tensors of the graph, such as `probs` or `split:1`. Default: those of its signature, if it has one. */
  readonly outputs?: readonly string[];
  /** Freezes several checkpoints at the same time. Default: one after the other, in this thread. */
  readonly workers?: WorkerOptions;
}

/**
 * Freezes every checkpoint that TensorFlow saved in a folder, oldest first. Artifacts are named by the step, as those of a
 * run, or where it is not known or not the only one by the checkpoint. A graph is captured once for all checkpoints in a row
 * that have it. Artifacts that are there already are not made again.
 *
 * @throws {CkptError} CHECKPOINT_NOT_FOUND when it is no such folder; and what `freeze` throws, at the first checkpoint that
 *   fails; artifacts made before stay.
 */
export async function freezeFolder({
  folder,
  out,
  workers,
  outputs,
  ...options
}: FreezeFolderOptions): Promise<readonly FreezeResult[]> {
  const found = typeof folder === "string" ? await readSource(folder) : folder;
  if (found.kind !== "tensorflow-folder")
    throw new CkptError("CHECKPOINT_NOT_FOUND", { path: found.path, skipped: [] });
  const target = out ?? join(found.path, runLayout.artifacts);
  const names = nameArtifacts(found.checkpoints);
  const jobs = found.checkpoints.map((source, index) => ({ source, out: join(target, names[index] ?? "") }));
  try {
    return await runFreezeJobs(jobs, {
      ...toArtifactRequest(options, outputs === undefined ? {} : { outputs }),
      onProgress: options.onProgress ?? (() => {}),
      isSkippingRemoved: false,
      workers,
    });
  } catch (cause) {
    if (!isCkptError(cause, "OUTPUTS_NOT_NAMED")) throw cause;
    // They are the same for all of them.
    throw new CkptError("OUTPUTS_NOT_NAMED", { ...cause.details, path: found.path }, { cause });
  }
}

function nameArtifacts(checkpoints: readonly TensorFlowCheckpointSource[]): readonly string[] {
  const steps = checkpoints.map(({ step }) => step);
  return checkpoints.map(({ path, step }) =>
    step === undefined || steps.indexOf(step) !== steps.lastIndexOf(step) ? basename(path) : formatStepName(step),
  );
}
