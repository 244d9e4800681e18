import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type CheckpointManifest,
  CkptError,
  checkpointManifestType,
  checkpointPath,
  isCkptError,
  manifestNames,
  type Metrics,
  nodeFileSystem,
  parseStepName,
  readDocument,
  restoreMetrics,
  runLayout,
  type Sealed,
  type Signature,
  type TensorSpec,
  storeMetrics,
  verifyFiles,
} from "@ckpt/manifest";

import { type CheckpointContent, parseCheckpoint } from "./checkpoint-files.js";
import { readJoined } from "./read-joined.js";

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
  /** How long the run had been trained when it was saved, in all its processes; absent where that is not known. */
  readonly trainedSeconds?: number;
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
  return toCheckpoint(path, manifest);
}

/** A checkpoint of a run as its manifest describes it. */
export function describeCheckpoint(run: string, manifest: Sealed<CheckpointManifest>): Checkpoint {
  return toCheckpoint(checkpointPath(run, manifest.step), manifest);
}

function toCheckpoint(path: string, manifest: Sealed<CheckpointManifest>): Checkpoint {
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

/** What a new checkpoint's manifest says besides the files. */
export interface ManifestFields {
  readonly step: number;
  readonly epoch: number;
  readonly metrics: Metrics;
  /** Why it is saved, in words. */
  readonly reason: string;
  readonly signature: Signature;
  readonly probe?: readonly TensorSpec[];
}

/** Makes the manifest of a checkpoint whose files are not written yet. */
export function describeManifest({
  step,
  epoch,
  metrics,
  ...fields
}: ManifestFields): Omit<CheckpointManifest, "files"> {
  return {
    kind: "checkpoint",
    schemaVersion: checkpointManifestType.schemaVersion,
    step,
    epoch,
    metrics: storeMetrics(metrics),
    ...fields,
  };
}

/**
 * Reads what a checkpoint holds; its files have been verified before.
 *
 * @throws {CkptError} What {@link parseCheckpoint} finds.
 */
export function readCheckpointContent({ path }: Checkpoint): Promise<CheckpointContent> {
  return parseCheckpoint(
    {
      readText: (file) => readFile(join(path, file), "utf8"),
      readJoined: (files) => readJoined(files.map((file) => join(path, file))),
    },
    path,
  );
}
