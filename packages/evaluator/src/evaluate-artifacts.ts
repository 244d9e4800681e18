import { basename, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CkptError, type FileSystem, isCkptError, nodeFileSystem, type Split } from "@ckpt/manifest";

import { type BatchSizer, fixedBatchSize, measureBatchSize } from "./batch-size.js";
import { createEvaluationJob, type EvaluationJob, type JobContext } from "./evaluation-job.js";
import type { Evaluation, EvaluationProgress } from "./evaluation.js";
import type { EngineChoice } from "./load-engine.js";
import { checkSplit, type PreparedEvaluation } from "./prepare-evaluation.js";
import { digestArchitecture } from "./read-artifact.js";
import { createSessionSlot, type SessionSlot } from "./session-slot.js";
import { countRowBytes } from "./shard-rows.js";
import { createThreadGate } from "./thread-gate.js";
import { countWorkers } from "./worker-count.js";

/** How artifacts are run over a split. */
export interface EvaluateOptions {
  readonly split: Split;
  /** The folder that evaluations are kept in; made if needed. */
  readonly evaluations: string;
  /** Default: `auto`. */
  readonly engine?: EngineChoice;
  /** Rows per inference. Default: measured while the first batches are scored; 256 for tfjs. */
  readonly batchSize?: number;
  /** Threads of an engine that has any. Default: as many as there are cores and memory for. */
  readonly workers?: number;
  /** Name of the output to score. Default: the signature's first. */
  readonly output?: string;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Default: the machine's own. */
  readonly fileSystem?: FileSystem;
}

/** What is run on which rows, by what engine, and where the predictions are kept. */
export interface EvaluateArtifactsOptions extends EvaluateOptions {
  /** The artifacts' folders. The name of each is the artifact's id. */
  readonly artifacts: readonly string[];
  /** Called with each outcome as soon as it is there, in any order; what it throws ends everything. */
  readonly onOutcome?: (outcome: EvaluationOutcome) => Promise<void> | void;
}

/** What came of one artifact: its evaluation, or why there is none. */
export type EvaluationOutcome =
  | { readonly artifact: string; readonly evaluation: Evaluation }
  | { readonly artifact: string; readonly failure: CkptError };

/** Sessions on each thread: while one opens, checks or writes, the batches of the others run. */
const slotsPerThread = 3;
const pollMs = 10;
/** For engines whose last bits may depend on it. */
const fixedRows = 256;

/**
 * Runs artifacts over a split and stores their predictions, as `evaluateArtifact` does for one, by all threads at once.
 * An artifact that fails does not keep the others from being scored. The outcomes are in the order of the artifacts.
 *
 * Work is divided into shards of some thousand rows, each claimed by a file in `.<evaluation>.pieces` and stored there
 * until all are: a process that dies is gone on from at its last whole shard, and processes that score the same share the
 * work. Neither the number of threads, processes and interruptions nor, with onnxruntime-node, the batch size changes a
 * bit of what is stored. Memory grows neither with the rows nor with the artifacts.
 *
 * @throws {CkptError} INVALID_OPTION for options that fit no artifact; FILE_SYSTEM when predictions cannot be stored, and
 *   then nothing is half there; what `split.read`, `onProgress` and `onOutcome` throw.
 */
export async function evaluateArtifacts(options: EvaluateArtifactsOptions): Promise<readonly EvaluationOutcome[]> {
  const { artifacts, split, evaluations, engine = "auto", output, fileSystem = nodeFileSystem } = options;
  checkSplit(split);
  checkCount("batchSize", options.batchSize);
  checkCount("workers", options.workers);
  const sizeBatches = chooseBatchSizes(options);
  const jobs = artifacts.map((artifact) => {
    const request = { artifact, split, evaluations, engine, ...(output === undefined ? {} : { output }) };
    return createEvaluationJob(request, { fileSystem, sizeBatches, onRows: reportRows(artifact, options) });
  });
  const threadCount = options.workers ?? (await countWorkers(artifacts[0], slotsPerThread));
  const slots = Array.from({ length: threadCount }, (_, thread) => {
    const gate = createThreadGate();
    return Array.from({ length: slotsPerThread }, () => createSessionSlot(thread, gate));
  }).flat();
  const outcomeOf = (index: number): EvaluationOutcome | undefined => {
    const [artifact, outcome] = [artifacts[index], jobs[index]?.outcome()];
    if (artifact === undefined || outcome === undefined) return undefined;
    return isCkptError(outcome) ? { artifact, failure: outcome } : { artifact, evaluation: outcome };
  };
  const told = new Set<number>();
  const tellOutcomes = async (): Promise<void> => {
    for (const index of jobs.keys()) {
      const outcome = told.has(index) ? undefined : outcomeOf(index);
      if (outcome === undefined) continue;
      told.add(index);
      await options.onOutcome?.(outcome);
    }
  };
  let stopped: { readonly error: unknown } | undefined;
  const runSlot = async (slot: SessionSlot): Promise<void> => {
    try {
      await workOff(jobs, slot, tellOutcomes, () => stopped !== undefined);
    } catch (error) {
      stopped ??= { error };
    }
  };
  try {
    await Promise.all(slots.map(runSlot));
  } finally {
    for (const job of jobs) await job.close();
  }
  if (stopped !== undefined) throw stopped.error;
  return artifacts.map((artifact, index) => {
    const outcome = outcomeOf(index);
    if (outcome === undefined) throw new TypeError(`nothing came of ${artifact}`);
    return outcome;
  });
}

/** Works until nothing is left: on new pieces of any job first, then on those that others have begun. */
async function workOff(
  jobs: readonly EvaluationJob[],
  slot: SessionSlot,
  tellOutcomes: () => Promise<void>,
  isStopped: () => boolean,
): Promise<void> {
  try {
    for (;;) {
      await tellOutcomes();
      const open = jobs.filter((job) => job.outcome() === undefined);
      if (open.length === 0 || isStopped()) return;
      if (!(await doFirst(open, (job) => job.work(slot))) && !(await doFirst(open, (job) => job.help(slot)))) {
        await sleep(pollMs);
      }
    }
  } finally {
    await slot.close();
  }
}

async function doFirst(
  jobs: readonly EvaluationJob[],
  action: (job: EvaluationJob) => Promise<boolean>,
): Promise<boolean> {
  for (const job of jobs) if (await action(job)) return true;
  return false;
}

/** Of one architecture, the first artifact measures for all. */
function chooseBatchSizes({ split, batchSize }: EvaluateOptions): JobContext["sizeBatches"] {
  const sizers = new Map<string, BatchSizer>();
  return ({ artifact, engine }: PreparedEvaluation) => {
    if (batchSize !== undefined) return fixedBatchSize(batchSize);
    if (!engine.isBatchInvariant) return fixedBatchSize(fixedRows);
    const key = digestArchitecture(artifact, engine.format);
    const sizer = sizers.get(key) ?? measureBatchSize(countRowBytes(split));
    sizers.set(key, sizer);
    return sizer;
  };
}

function reportRows(artifact: string, { split, onProgress }: EvaluateOptions): JobContext["onRows"] {
  const id = basename(resolve(artifact));
  return (rowsDone, rowsPerSecond) =>
    onProgress?.({ artifact: id, rowsDone, rowsTotal: split.rowCount, rowsPerSecond });
}

/** @throws {CkptError} INVALID_OPTION */
export function checkCount(option: "batchSize" | "workers", value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1)) return;
  throw new CkptError("INVALID_OPTION", { option, expected: "an integer from 1", found: String(value) });
}
