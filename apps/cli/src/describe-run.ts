import { basename, join } from "node:path";

import {
  type ArtifactManifest,
  artifactManifestType,
  type CheckpointManifest,
  checkpointManifestType,
  isCkptError,
  manifestNames,
  type Metrics,
  type RankingManifest,
  rankingManifestType,
  readDocument,
  restoreMetrics,
  type RunManifest,
  runLayout,
  runManifestType,
  type Sealed,
} from "@ckpt/manifest";

import { findInRun } from "./identify-folder.js";

/** One checkpoint of a run with what became of it. */
export interface CheckpointDescription {
  /** Folder name, shared by the checkpoint and its artifact. */
  readonly id: string;
  readonly step: number;
  readonly epoch: number;
  readonly metrics: Metrics;
  readonly sizeBytes: number;
  readonly digest: string;
  readonly formats: readonly string[];
  readonly rank?: number;
  readonly isPick: boolean;
}

/** A run as `ckpt ls` tells it. Checkpoints are ascending by step, averages after the trained one. */
export interface RunDescription {
  readonly path: string;
  readonly manifest: Sealed<RunManifest>;
  readonly checkpoints: readonly CheckpointDescription[];
  /** Folders that hold no valid checkpoint, each with the reason. */
  readonly invalid: readonly { readonly id: string; readonly reason: string }[];
}

/** Reads manifests only: what is listed is committed, but its files are not checked (that is `ckpt verify`). */
export async function describeRun(path: string): Promise<RunDescription> {
  const manifest = await readDocument(runManifestType, join(path, runLayout.manifest));
  const artifacts = new Map<string, Sealed<ArtifactManifest>>();
  for (const folder of await findInRun(path, "artifact")) {
    const artifact = await readIfValid(() => readDocument(artifactManifestType, join(folder, manifestNames.artifact)));
    if ("value" in artifact) artifacts.set(artifact.value.source.digest, artifact.value);
  }
  const ranking = await readIfValid(() => readDocument(rankingManifestType, join(path, runLayout.ranking)));
  const checkpoints: CheckpointDescription[] = [];
  const invalid: { id: string; reason: string }[] = [];
  for (const folder of await findInRun(path, "checkpoint")) {
    const id = basename(folder);
    const checkpoint = await readIfValid(() =>
      readDocument(checkpointManifestType, join(folder, manifestNames.checkpoint)),
    );
    if ("value" in checkpoint) {
      const { value } = checkpoint;
      checkpoints.push(
        describeCheckpoint(id, value, artifacts.get(value.digest), "value" in ranking ? ranking.value : undefined),
      );
    } else invalid.push({ id, reason: checkpoint.reason });
  }
  return { path, manifest, checkpoints, invalid };
}

function describeCheckpoint(
  id: string,
  checkpoint: Sealed<CheckpointManifest>,
  artifact: Sealed<ArtifactManifest> | undefined,
  ranking: Sealed<RankingManifest> | undefined,
): CheckpointDescription {
  const candidate = ranking?.candidates.find((entry) => entry.checkpoint.digest === checkpoint.digest);
  return {
    id,
    step: checkpoint.step,
    epoch: checkpoint.epoch,
    metrics: restoreMetrics(checkpoint.metrics),
    sizeBytes: checkpoint.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    digest: checkpoint.digest,
    formats: artifact?.formats ?? [],
    ...(candidate?.rank === undefined ? {} : { rank: candidate.rank }),
    isPick: candidate !== undefined && ranking?.pick?.id === candidate.id,
  };
}

async function readIfValid<Value>(
  read: () => Promise<Value>,
): Promise<{ readonly value: Value } | { readonly reason: string }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (isCkptError(error)) return { reason: error.message };
    throw error;
  }
}
