import { join } from "node:path";

import {
  type CheckpointManifest,
  checkpointManifestType,
  checkpointPath,
  digestBytes,
  type FileEntry,
  type FileSystem,
  manifestNames,
  parseDocument,
  probeFileName,
  removeUnleased,
  replaceFile,
  runLayout,
  type Sealed,
  serializeDocument,
  serializeTimingRecord,
  type StagedFolder,
  stageFolder,
  type TimingRecord,
} from "@ckpt/manifest";

import { type CheckpointFile, checkpointFileNames, formatCheckpointFile } from "./checkpoint-files.js";
import { type SentError, serializeError } from "./sent-error.js";

/** Adds a line to a file of the run. */
export interface AppendTask {
  readonly kind: "append";
  readonly path: string;
  readonly line: string;
}

/** Gives a file of the run this content, whole or not at all. */
export interface ReplaceTask {
  readonly kind: "replace";
  readonly path: string;
  readonly text: string;
}

/** Writes and commits a checkpoint, then deletes those that it makes superfluous. */
export interface SaveTask {
  readonly kind: "save";
  readonly run: string;
  /** What the manifest says besides the files. */
  readonly manifest: Omit<CheckpointManifest, "files">;
  readonly files: readonly CheckpointFile[];
  /** The packed arrays that `files` speaks of; shared memory, not to be changed before the task is done. */
  readonly packed: Uint8Array;
  /** A checkpoint of the same step is there, to be replaced. */
  readonly isReplacing: boolean;
  /** An earlier checkpoint, whose `model.json` and `probe.bin` get a second name here if they are the same. */
  readonly previous?: { readonly path: string; readonly files: readonly FileEntry[] };
  /** Folders of checkpoints to delete after the commit. */
  readonly superfluous: readonly string[];
  /** For `timings.jsonl`; the duration is added to what training stood still for. */
  readonly timing: Omit<TimingRecord, "durationMs"> & { readonly blockedMs: number };
}

/** Deletes checkpoints. */
export interface RemoveTask {
  readonly kind: "remove";
  readonly run: string;
  /** Folders of checkpoints. */
  readonly paths: readonly string[];
}

/** What a run's writer does, one after the other, in plain data that can go to another thread. */
export type RunTask = AppendTask | ReplaceTask | SaveTask | RemoveTask;

/** Which checkpoints were deleted and which stay because another process reads them. */
export interface Removal {
  readonly removed: readonly string[];
  readonly leased: readonly string[];
  /** What went wrong besides, first of all: after the commit of a checkpoint, or at one of several removals. */
  readonly problem?: SentError;
}

/** What came of a task. */
export interface RunTaskResults {
  readonly append: undefined;
  readonly replace: undefined;
  readonly save: Removal & { readonly manifest: Sealed<CheckpointManifest>; readonly durationMs: number };
  readonly remove: Removal;
}

/**
 * Does one task.
 *
 * @throws {CkptError} FILE_SYSTEM; of a save that failed nothing is left behind under the checkpoint's name, and nothing
 *   is deleted for it. What goes wrong once the checkpoint is there is the `problem` of the result.
 */
export async function performRunTask<Task extends RunTask>(
  task: Task,
  fileSystem: FileSystem,
): Promise<RunTaskResults[Task["kind"]]>;
export async function performRunTask(task: RunTask, fileSystem: FileSystem): Promise<RunTaskResults[RunTask["kind"]]> {
  switch (task.kind) {
    case "append":
      await fileSystem.appendFile(task.path, new TextEncoder().encode(task.line));
      return undefined;
    case "replace":
      await replaceFile(task.path, task.text, fileSystem);
      return undefined;
    case "save":
      return saveCheckpoint(task, fileSystem);
    case "remove":
      return removeCheckpoints(task, fileSystem);
    default:
      throw new TypeError(`unknown task ${JSON.stringify(task satisfies never)}`);
  }
}

async function saveCheckpoint(task: SaveTask, fileSystem: FileSystem): Promise<RunTaskResults["save"]> {
  const { run, manifest, timing, superfluous } = task;
  const start = performance.now();
  const path = checkpointPath(run, manifest.step);
  const text = await commitCheckpoint(task, path, fileSystem);
  const durationMs = timing.blockedMs + performance.now() - start;
  const line = serializeTimingRecord({ ...timing, durationMs });
  const timed = await attempt(() =>
    fileSystem.appendFile(join(run, runLayout.timings), new TextEncoder().encode(line)),
  );
  const removal = await removeCheckpoints({ kind: "remove", run, paths: superfluous }, fileSystem);
  const saved = { manifest: parseDocument(checkpointManifestType, text, path), durationMs };
  return timed === undefined ? { ...removal, ...saved } : { ...removal, ...saved, problem: timed };
}

/** Returns the text of the manifest. */
async function commitCheckpoint(
  { manifest, files, packed, isReplacing, previous }: SaveTask,
  path: string,
  fileSystem: FileSystem,
): Promise<string> {
  const staged = await stageFolder(path, { fileSystem, isReplacing });
  let text = "";
  try {
    // The small files are flushed while the large one is still being hashed.
    const written = await Promise.allSettled(
      files.map(async (file) => {
        const content =
          "startByte" in file ? packed.subarray(file.startByte, file.endByte) : formatCheckpointFile(file);
        await writeOnce(file.path, content, previous, staged);
      }),
    );
    const failed = written.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason as Error;
    await staged.commit(manifestNames.checkpoint, (entries) => {
      const whole: CheckpointManifest = { ...manifest, files: entries };
      text = serializeDocument(whole);
      return whole;
    });
  } catch (error) {
    // The error that stopped the commit matters; what cannot be removed is swept when the run is next opened.
    await staged.abandon().catch(() => undefined);
    throw error;
  }
  return text;
}

/** What is the same from step to step, as the topology is: all checkpoints of a run share one file. */
const sharedFiles: ReadonlySet<string> = new Set([checkpointFileNames.model, probeFileName]);

async function writeOnce(
  path: string,
  content: string | Uint8Array,
  previous: SaveTask["previous"],
  staged: StagedFolder,
): Promise<void> {
  const entry = previous?.files.find((file) => file.path === path);
  const isSame = entry !== undefined && sharedFiles.has(path) && entry.sha256 === digestBytes(content);
  if (isSame && (await staged.link(join(previous?.path ?? "", path), entry))) return;
  await staged.write(path, content);
}

async function removeCheckpoints({ run, paths }: RemoveTask, fileSystem: FileSystem): Promise<Removal> {
  const removed: string[] = [];
  const leased: string[] = [];
  let problem: SentError | undefined;
  for (const path of paths) {
    const found = await attempt(async () => {
      // Somebody else may have deleted it.
      const isThere = await fileSystem.exists(path);
      const kind = isThere ? (await removeUnleased(path, run, fileSystem)).kind : "removed";
      (kind === "removed" ? removed : leased).push(path);
    });
    problem ??= found;
  }
  return problem === undefined ? { removed, leased } : { removed, leased, problem };
}

/** Returns what went wrong. */
async function attempt(action: () => Promise<void>): Promise<SentError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return serializeError(error);
  }
}
