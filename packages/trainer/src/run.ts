import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import {
  CkptError,
  type DataRecord,
  digestBytes,
  type FileSystem,
  isCkptError,
  lockRun,
  nodeFileSystem,
  parseStepName,
  readDocument,
  readPins,
  replaceFile,
  type RunManifest,
  type RunResult,
  runLayout,
  runManifestType,
  serializeCanonicalJson,
  serializeDocument,
  sweepLeftovers,
  verifyFiles,
} from "@ckpt/manifest";

import { tf } from "#tfjs";

import type { CheckpointContent } from "./checkpoint-files.js";
import { type Checkpoint, findLatestValid, readCheckpointContent, type SkippedCheckpoint } from "./checkpoint-store.js";
import { type Clock, systemClock } from "./clock.js";
import { discardRun, formatSetAsideName } from "./discard-run.js";
import type { Measurement } from "./moment.js";
import { createRunJournal } from "./run-journal.js";
import { dropTornLine, parseTrainedTimes, readTextIfAny, truncateHistory } from "./run-records.js";
import type { RunTask, RunTaskResults } from "./run-task.js";
import { createRunWriter, type RunWriter } from "./run-writer.js";

/** The run's folder, what its `run.json` records, and what to do about a run that is there already. */
export interface OpenRunOptions {
  /** The run's folder; made if it is not there. */
  readonly path: string;
  /** Default: the folder's name. */
  readonly name?: string;
  /** The configuration file, relative to the run's folder, as `run.json` records it. Default: none. */
  readonly config?: string;
  /**
   * SHA-256 over everything that decides the training: a folder is only resumed by the same. Default: of the seed
   * alone, for a script that never changes.
   */
  readonly configDigest?: string;
  /** Default: 0. */
  readonly seed?: number;
  /** The splits trained and measured on. Default: none are recorded. */
  readonly data?: readonly DataRecord[];
  /** Versions of further packages that decide the result; this one's and TensorFlow.js's are always recorded. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Go on from the latest valid checkpoint; starts from the beginning where there is none. Default: false. */
  readonly isResuming?: boolean;
  /** Discard a run that is there already. Default: false. */
  readonly isFresh?: boolean;
  /** Where the run is written. One that is not the machine's own is used on the calling thread. */
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
}

/** What a run goes on from. */
export interface ResumePoint {
  readonly checkpoint: Checkpoint;
  readonly content: CheckpointContent;
}

/** A run folder that this process alone may write, until it is closed. */
export interface Run {
  readonly path: string;
  readonly manifest: RunManifest;
  /** Training ended in an earlier process: there is nothing left to do, and nothing can be written. */
  readonly isComplete: boolean;
  /** Where to go on from; absent when training starts from the beginning. */
  readonly resumePoint?: ResumePoint;
  /** Damaged checkpoints found while resuming. Those newer than the resume point were moved to a name with a dot. */
  readonly skipped: readonly SkippedCheckpoint[];
  readonly clock: Clock;
  /** Everything measured so far. */
  readonly history: readonly Measurement[];
  /** How long the run had been trained at the checkpoints of earlier processes, by step, as far as that is known. */
  readonly trainedTimes: ReadonlyMap<number, { readonly trainedSeconds: number }>;
  /** Appends one measurement to `history.jsonl`, in the background: a failure is kept for {@link Run.takeFailure}. */
  appendMeasurement(measurement: Measurement): void;
  /** Does a piece of work and appends how long it took to `timings.jsonl`. */
  time<Result>(action: "measure", step: number, work: () => Promise<Result>): Promise<Result>;
  /**
   * Has something written after all that was submitted before.
   *
   * @throws {TypeError} The run is complete or closed.
   */
  submit<Task extends RunTask>(task: Task): Promise<RunTaskResults[Task["kind"]]>;
  /**
   * Waits until everything that was appended is on disk, and makes a history that lost a line whole again.
   *
   * @throws {CkptError} FILE_SYSTEM when that fails.
   */
  drain(): Promise<void>;
  /** The first failure of an append since the last call. */
  takeFailure(): Error | undefined;
  /** Steps that are pinned now. */
  readPinned(): Promise<ReadonlySet<number>>;
  /**
   * Reads what a checkpoint of the run holds.
   *
   * @throws {CkptError} What is wrong with it: DIGEST_MISMATCH, FILE_MISSING, ...
   */
  readContent(checkpoint: Checkpoint): Promise<CheckpointContent>;
  /** Writes how training ended into `run.json`. */
  writeResult(result: RunResult): Promise<void>;
  /** Waits for what is being written and gives up the lock; the run can then be opened again. */
  close(): Promise<void>;
}

/**
 * Opens a run folder for training under its lock. A folder without a run becomes one; a complete run of the same
 * configuration is returned as such; an incomplete one is gone on with if `isResuming`: its history is cut back to the
 * checkpoint it goes on from.
 *
 * @throws {CkptError} RUN_LOCKED while another process trains it; RUN_EXISTS when it holds an incomplete run and
 *   neither `isResuming` nor `isFresh` is set, or a run of another configuration and `isFresh` is not set;
 *   INVALID_OPTION when both are set; SCHEMA_TOO_NEW; MANIFEST_INVALID when its `run.json` or history is damaged.
 */
export async function openRun(options: OpenRunOptions): Promise<Run> {
  const { isResuming = false, isFresh = false, fileSystem = nodeFileSystem, clock = systemClock } = options;
  if (isResuming && isFresh) {
    throw new CkptError("INVALID_OPTION", {
      option: "isFresh",
      expected: "not together with isResuming",
      found: "both",
    });
  }
  const { path } = options;
  await tf.ready();
  const wanted = createRunManifest(options);
  const lock = await lockRun(path, fileSystem);
  try {
    await sweepLeftovers(path, fileSystem);
    await sweepLeftovers(join(path, runLayout.checkpoints), fileSystem);
    if (isFresh) await discardRun(path, fileSystem);
    const found = await readRunIfAny(path);
    if (found === undefined) await requireNoCheckpoints(path, fileSystem);
    else requireSameRun(path, found, wanted);
    if (found?.result?.reason === "completed") {
      await lock.release();
      return createRun({ path, manifest: found, isComplete: true, skipped: [], trainedTimes: new Map() }, [], {
        fileSystem,
        clock,
        release: async () => {},
      });
    }
    if (found !== undefined && !isResuming) {
      const reason = `holds an incomplete run${found.result === undefined ? "" : `, stopped at step ${found.result.step}`}`;
      const remedy = "Go on with it by `--resume`, or discard it by `--fresh`.";
      throw new CkptError("RUN_EXISTS", { path, reason, remedy });
    }
    const { resumePoint, skipped } = await findResumePoint(path, fileSystem);
    await fileSystem.makeFolder(join(path, runLayout.checkpoints));
    await writeRunManifest(path, wanted, fileSystem);
    const { measurements, trainedTimes } = await cutRecords(
      path,
      resumePoint?.content.progress.historyCount ?? 0,
      fileSystem,
    );
    const fields = { path, manifest: wanted, isComplete: false, skipped, trainedTimes };
    return createRun(resumePoint === undefined ? fields : { ...fields, resumePoint }, measurements, {
      fileSystem,
      clock,
      release: () => lock.release(),
    });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

interface RunEffects {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly release: () => Promise<void>;
}

function createRun(
  fields: Pick<Run, "path" | "manifest" | "isComplete" | "resumePoint" | "skipped" | "trainedTimes">,
  measured: readonly Measurement[],
  { fileSystem, clock, release }: RunEffects,
): Run {
  const { path, manifest, isComplete } = fields;
  const writer: RunWriter | undefined = isComplete ? undefined : createRunWriter(fileSystem);
  let closing: Promise<void> | undefined;
  const requireOpen = (): RunWriter => {
    // Without the lock another process may be writing it.
    if (writer !== undefined && closing === undefined) return writer;
    throw new TypeError(`the run ${path} is ${isComplete ? "complete" : "closed"}: nothing is written to it`);
  };
  const submit: Run["submit"] = (task) => requireOpen().submit(task);
  const journal = createRunJournal(path, measured, submit);
  return {
    ...fields,
    clock,
    history: journal.history,
    appendMeasurement: (measurement) => journal.appendMeasurement(measurement),
    time: async (action, step, work) => {
      const start = clock.monotonicMs();
      const result = await work();
      const durationMs = clock.monotonicMs() - start;
      const at = clock.wallTime().toISOString();
      journal.appendTiming({ stage: "train", action, subject: `step ${step}`, at, durationMs });
      return result;
    },
    submit,
    drain: () => journal.drain(),
    takeFailure: () => journal.takeFailure(),
    readPinned: () => readPins(path, fileSystem),
    readContent: async (checkpoint) => {
      const [problem] = await verifyFiles(checkpoint.path, checkpoint.manifest.files);
      if (problem !== undefined) throw problem;
      return readCheckpointContent(checkpoint);
    },
    writeResult: async (result) => {
      requireOpen();
      await writeRunManifest(path, { ...manifest, result }, fileSystem);
    },
    close: () => {
      closing ??= (async () => {
        await writer?.drain();
        await release();
      })();
      return closing;
    },
  };
}

function createRunManifest(options: OpenRunOptions): RunManifest {
  const { path, name = basename(resolve(path)), config, seed = 0, data = [], versions = {} } = options;
  if (!Number.isSafeInteger(seed)) {
    throw new CkptError("INVALID_OPTION", { option: "seed", expected: "an integer", found: String(seed) });
  }
  const { configDigest = digestBytes(serializeCanonicalJson({ seed })) } = options;
  return {
    kind: "run",
    schemaVersion: runManifestType.schemaVersion,
    name,
    ...(config === undefined ? {} : { config }),
    configDigest,
    seed,
    versions: { "@ckpt/trainer": readOwnVersion(), "@tensorflow/tfjs": tf.version.tfjs, ...versions },
    backend: tf.getBackend(),
    data,
  };
}

function readOwnVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

async function readRunIfAny(path: string): Promise<RunManifest | undefined> {
  try {
    return await readDocument(runManifestType, join(path, runLayout.manifest));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return undefined;
    throw error;
  }
}

/** Step folders that no `run.json` speaks for are not ours to add to or to prune. */
async function requireNoCheckpoints(path: string, fileSystem: FileSystem): Promise<void> {
  const names = await fileSystem.list(join(path, runLayout.checkpoints));
  if (names.every((name) => parseStepName(name) === undefined)) return;
  throw new CkptError("RUN_EXISTS", {
    path,
    reason: "holds checkpoints, but no run.json says what they were trained on",
    remedy: "Discard them by `--fresh`, or name another run.",
  });
}

function requireSameRun(path: string, found: RunManifest, wanted: RunManifest): void {
  if (identifyRun(found) === identifyRun(wanted)) return;
  const isSameConfig = found.configDigest === wanted.configDigest && found.seed === wanted.seed;
  throw new CkptError("RUN_EXISTS", {
    path,
    reason: `holds a run of ${isSameConfig ? "the same configuration on other data" : "another configuration"}`,
    remedy: "Discard it by `--fresh`, or give this run another name.",
  });
}

function identifyRun({ configDigest, seed, data }: RunManifest): string {
  return serializeCanonicalJson({ configDigest, seed, data });
}

/** Finds where to go on, and moves damaged checkpoints beyond that point out of the way of those to come. */
async function findResumePoint(
  path: string,
  fileSystem: FileSystem,
): Promise<{ readonly resumePoint?: ResumePoint; readonly skipped: readonly SkippedCheckpoint[] }> {
  const { latest, skipped } = await findLatestValid(path);
  for (const { path: folder } of skipped) {
    const name = basename(folder);
    if ((parseStepName(name) ?? 0) < (latest?.step ?? 0)) continue;
    const aside = join(path, runLayout.checkpoints, formatSetAsideName(name));
    await fileSystem.remove(aside);
    await fileSystem.rename(folder, aside);
  }
  if (latest === undefined) return { skipped };
  return { resumePoint: { checkpoint: latest, content: await readCheckpointContent(latest) }, skipped };
}

/** Leaves in `history.jsonl` the first `count` lines and in `timings.jsonl` the whole ones; creates both. */
async function cutRecords(
  path: string,
  count: number,
  fileSystem: FileSystem,
): Promise<{ readonly measurements: readonly Measurement[]; readonly trainedTimes: Run["trainedTimes"] }> {
  const historyPath = join(path, runLayout.history);
  const timingsPath = join(path, runLayout.timings);
  const history = truncateHistory(await readTextIfAny(historyPath), count, historyPath);
  await replaceFile(historyPath, history.text, fileSystem);
  const timings = dropTornLine(await readTextIfAny(timingsPath));
  await replaceFile(timingsPath, timings, fileSystem);
  return { measurements: history.measurements, trainedTimes: parseTrainedTimes(timings) };
}

function writeRunManifest(path: string, manifest: RunManifest, fileSystem: FileSystem): Promise<void> {
  return replaceFile(join(path, runLayout.manifest), serializeDocument(manifest), fileSystem);
}
