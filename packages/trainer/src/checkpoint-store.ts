import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type CheckpointManifest,
  CkptError,
  checkpointManifestType,
  checkpointPath,
  type FileSystem,
  isCkptError,
  manifestNames,
  type Metrics,
  nodeFileSystem,
  parseStepName,
  readDocument,
  restoreMetrics,
  runLayout,
  type Sealed,
  stageFolder,
  storeMetrics,
  verifyFiles,
} from "@ckpt/manifest";

import {
  type CheckpointContent,
  parseCheckpoint,
  serializeCheckpoint,
  type TrainingProgressState,
} from "./checkpoint-files.js";
import type { StateSnapshot } from "./training-state.js";

/** A committed checkpoint. */
export interface Checkpoint {
  /** Its folder. */
  readonly path: string;
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** As measured at this step; may be empty. */
  readonly metrics: Metrics;
  readonly manifest: Sealed<CheckpointManifest>;
}

/** A checkpoint folder that cannot be used, and why. */
export interface SkippedCheckpoint {
  readonly path: string;
  readonly reason: CkptError;
}

/** The checkpoints of a run by their manifests; whether their files are whole is not checked. */
export interface FoundCheckpoints {
  /** By step, ascending. */
  readonly checkpoints: readonly Checkpoint[];
  /** Folders named like a checkpoint that have no valid manifest. */
  readonly skipped: readonly SkippedCheckpoint[];
}

/**
 * Reads one checkpoint's manifest; its files are not checked.
 *
 * @throws {CkptError} MANIFEST_MISSING, MANIFEST_INVALID or SCHEMA_TOO_NEW.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const manifest = await readDocument(checkpointManifestType, join(path, manifestNames.checkpoint));
  return { path, step: manifest.step, epoch: manifest.epoch, metrics: restoreMetrics(manifest.metrics), manifest };
}

/** Finds the checkpoints of a run by their manifests. What is not named like a checkpoint is passed over. */
export async function listCheckpoints(run: string): Promise<FoundCheckpoints> {
  const checkpoints: Checkpoint[] = [];
  const skipped: SkippedCheckpoint[] = [];
  for (const name of await nodeFileSystem.list(join(run, runLayout.checkpoints))) {
    const step = parseStepName(name);
    if (step === undefined) continue;
    const path = checkpointPath(run, step);
    try {
      const checkpoint = await readCheckpoint(path);
      if (checkpoint.step !== step) {
        const message = `expected ${step}, as the folder is named, found ${checkpoint.step}`;
        throw new CkptError("MANIFEST_INVALID", { path, issues: [{ path: "step", message }] });
      }
      checkpoints.push(checkpoint);
    } catch (error) {
      if (!isCkptError(error)) throw error;
      skipped.push({ path, reason: error });
    }
  }
  return { checkpoints: checkpoints.toSorted((a, b) => a.step - b.step), skipped };
}

/**
 * Finds the newest checkpoint of which every byte is as it was committed. Newer ones that are damaged are among
 * `skipped`.
 *
 * @throws {CkptError} SCHEMA_TOO_NEW when the newest was written by a newer ckpt: that is not damage.
 */
export async function findLatestValid(
  run: string,
): Promise<{ readonly latest?: Checkpoint; readonly skipped: readonly SkippedCheckpoint[] }> {
  const { checkpoints, skipped } = await listCheckpoints(run);
  const tooNew = skipped.find(({ reason }) => isCkptError(reason, "SCHEMA_TOO_NEW"));
  if (tooNew !== undefined) throw tooNew.reason;
  const damaged: SkippedCheckpoint[] = [...skipped];
  for (const checkpoint of checkpoints.toReversed()) {
    const [problem] = await verifyFiles(checkpoint.path, checkpoint.manifest.files);
    if (problem === undefined) return { latest: checkpoint, skipped: damaged };
    damaged.push({ path: checkpoint.path, reason: problem });
  }
  return { skipped: damaged };
}

/** What a new checkpoint holds, and the run it belongs to. */
export interface CommitCheckpointOptions {
  readonly run: string;
  readonly snapshot: StateSnapshot;
  readonly progress: TrainingProgressState;
  readonly metrics: Metrics;
  /** Why it is saved, in words. */
  readonly reason: string;
  readonly fileSystem: FileSystem;
}

/**
 * Writes a checkpoint and commits it. A folder of the same step, which can only be a damaged one that was skipped, is
 * replaced.
 *
 * @throws {CkptError} FILE_SYSTEM; nothing is left behind under the checkpoint's name then.
 */
export async function commitCheckpoint(options: CommitCheckpointOptions): Promise<Checkpoint> {
  const { run, snapshot, progress, metrics, reason, fileSystem } = options;
  const { step, epoch } = progress.position;
  const path = checkpointPath(run, step);
  const staged = await stageFolder(path, { fileSystem, isReplacing: true });
  try {
    for (const file of serializeCheckpoint(snapshot, progress)) await staged.write(file.path, file.data);
    await staged.commit(manifestNames.checkpoint, (files): CheckpointManifest => ({
      kind: "checkpoint",
      schemaVersion: checkpointManifestType.schemaVersion,
      step,
      epoch,
      metrics: storeMetrics(metrics),
      reason,
      signature: snapshot.signature,
      files,
    }));
  } catch (error) {
    // The error that stopped the commit matters; what cannot be removed is swept when the run is next opened.
    await staged.abandon().catch(() => undefined);
    throw error;
  }
  return readCheckpoint(path);
}

/**
 * Reads what a checkpoint holds, after checking every byte of it.
 *
 * @throws {CkptError} What {@link readCheckpoint} and the check of the files find, MODEL_UNREADABLE.
 */
export async function readCheckpointContent(checkpoint: Checkpoint): Promise<CheckpointContent> {
  const [problem] = await verifyFiles(checkpoint.path, checkpoint.manifest.files);
  if (problem !== undefined) throw problem;
  return parseCheckpoint((file) => readFile(join(checkpoint.path, file)), checkpoint.path);
}
