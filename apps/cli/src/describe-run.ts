import { basename, join } from "node:path";

import {
  type ArtifactFormat,
  artifactManifestType,
  type CheckpointManifest,
  checkpointManifestType,
  isCkptError,
  manifestNames,
  type Metrics,
  type RankedCandidate,
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
  readonly formats: readonly ArtifactFormat[];
  readonly rank?: number;
  readonly isPick: boolean;
}

/** A run as `ckpt ls` tells it. */
export interface RunDescription {
  readonly path: string;
  readonly manifest: Sealed<RunManifest>;
  /** All there are, listed or not. Of those not listed it is not known whether they are valid. */
  readonly checkpointCount: number;
  /** Those listed, ascending by step. */
  readonly checkpoints: readonly CheckpointDescription[];
  /** Folders that hold no valid checkpoint among those read, each with the reason. */
  readonly invalid: readonly InvalidCheckpoint[];
}

/** A checkpoint folder that cannot be read, and why. */
export interface InvalidCheckpoint {
  readonly id: string;
  readonly reason: string;
}

export interface DescribeRunOptions {
  /** So many of the newest checkpoints are listed, and the ranking's pick besides; 0 lists all. */
  readonly limit: number;
}

/**
 * Reads manifests only: what is listed is committed, but its files are not checked (that is `ckpt verify`). What is
 * older than the newest `limit` is not read at all, so that the time does not grow with the run.
 *
 * @throws {CkptError} What reading `run.json` finds.
 */
export async function describeRun(path: string, { limit }: DescribeRunOptions): Promise<RunDescription> {
  const manifest = await readDocument(runManifestType, join(path, runLayout.manifest));
  const found = await readIfValid(() => readDocument(rankingManifestType, join(path, runLayout.ranking)));
  const ranking = createRankLookup("value" in found ? found.value : undefined);
  const ids = (await findInRun(path, "checkpoint")).map((folder) => basename(folder)).toSorted(compareByStep);
  const checkpoints: CheckpointDescription[] = [];
  const invalid: InvalidCheckpoint[] = [];
  const isFull = (): boolean => limit > 0 && checkpoints.length >= limit;
  for (const id of ids.toReversed()) {
    if (isFull() && id !== ranking.pick) continue;
    const described = await readIfValid(() => describeCheckpoint(path, id, ranking));
    if ("value" in described) checkpoints.push(described.value);
    else invalid.push({ id, reason: described.reason });
  }
  return {
    path,
    manifest,
    checkpointCount: ids.length - invalid.length,
    checkpoints: checkpoints.toReversed(),
    invalid: invalid.toReversed(),
  };
}

/** By the number in the name, which is the step whatever the name begins with; what has none comes first. */
function compareByStep(a: string, b: string): number {
  const [stepA, stepB] = [a, b].map((id) => Number(/^[a-z]+-(\d+)/.exec(id)?.[1] ?? -1)) as [number, number];
  if (stepA !== stepB) return stepA - stepB;
  return a < b ? -1 : 1;
}

/** A ranking, to be asked once for every checkpoint. */
interface RankLookup {
  /** Folder name of the pick, shared by its checkpoint. */
  readonly pick: string | undefined;
  /** By the checkpoint's digest. */
  readonly candidates: ReadonlyMap<string, RankedCandidate>;
}

function createRankLookup(ranking: RankingManifest | undefined): RankLookup {
  const candidates = ranking?.candidates ?? [];
  return {
    pick: ranking?.pick?.id,
    candidates: new Map(candidates.map((candidate) => [candidate.checkpoint.digest, candidate])),
  };
}

async function describeCheckpoint(run: string, id: string, ranking: RankLookup): Promise<CheckpointDescription> {
  const manifestPath = join(run, runLayout.checkpoints, id, manifestNames.checkpoint);
  const checkpoint = await readDocument(checkpointManifestType, manifestPath);
  const candidate = ranking.candidates.get(checkpoint.digest);
  return {
    id,
    step: checkpoint.step,
    epoch: checkpoint.epoch,
    metrics: restoreMetrics(checkpoint.metrics),
    sizeBytes: checkpoint.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    digest: checkpoint.digest,
    formats: await readFormats(run, id, checkpoint),
    ...(candidate?.rank === undefined ? {} : { rank: candidate.rank }),
    isPick: candidate !== undefined && ranking.pick === candidate.id,
  };
}

/** What a checkpoint was frozen to; an artifact under its name that was made from another one does not count. */
async function readFormats(
  run: string,
  id: string,
  { digest }: Sealed<CheckpointManifest>,
): Promise<readonly ArtifactFormat[]> {
  const artifactPath = join(run, runLayout.artifacts, id, manifestNames.artifact);
  const artifact = await readIfValid(() => readDocument(artifactManifestType, artifactPath));
  return "value" in artifact && artifact.value.source.digest === digest ? artifact.value.formats : [];
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
