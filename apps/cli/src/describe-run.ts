import { basename, join } from "node:path";

import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  type CheckpointManifest,
  checkpointManifestType,
  findHolders,
  isCkptError,
  manifestNames,
  type Metrics,
  type Promotion,
  type RankedCandidate,
  type RankingManifest,
  rankingManifestType,
  readDocument,
  readPromotions,
  restoreMetrics,
  type RunManifest,
  runLayout,
  runManifestType,
  type Sealed,
} from "@ckpt/manifest";

import { findInRun } from "./identify-folder.js";
import { locateRun } from "./single-artifact.js";

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
  /** Aliases that its artifact has. */
  readonly aliases: readonly string[];
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
  /** So many of the newest checkpoints are listed, and the ranking's pick and those with an alias besides; 0 lists all. */
  readonly limit: number;
}

/**
 * Reads manifests only: what is listed is committed, but its files are not checked (that is `ckpt verify`). What is
 * older than the newest `limit` is not read at all, so that the time does not grow with the run.
 *
 * A ranking and a log of aliases that cannot be read count as none.
 *
 * @throws {CkptError} What reading `run.json` finds.
 */
export async function describeRun(path: string, { limit }: DescribeRunOptions): Promise<RunDescription> {
  const manifest = await readDocument(runManifestType, join(path, runLayout.manifest));
  const found = await readIfValid(() => readDocument(rankingManifestType, join(path, runLayout.ranking)));
  const ranking = createRankLookup("value" in found ? found.value : undefined);
  const held = await readIfValid(() => readHeld(path));
  const aliases = "value" in held ? held.value : [];
  const ids = (await findInRun(path, "checkpoint")).map((folder) => basename(folder));
  const checkpoints: CheckpointDescription[] = [];
  const invalid: InvalidCheckpoint[] = [];
  const isFull = (): boolean => limit > 0 && checkpoints.length >= limit;
  for (const id of ids.toReversed()) {
    if (isFull() && id !== ranking.pick && !aliases.some(({ artifact }) => artifact.id === id)) continue;
    const described = await readIfValid(() => describeCheckpoint(path, id, ranking, aliases));
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

/** The aliases that artifacts of a run have now. */
async function readHeld(run: string): Promise<readonly Promotion[]> {
  const { runs, name } = locateRun(run);
  return [...findHolders(await readPromotions(runs)).values()].filter((holder) => holder.run === name);
}

async function describeCheckpoint(
  run: string,
  id: string,
  ranking: RankLookup,
  held: readonly Promotion[],
): Promise<CheckpointDescription> {
  const manifestPath = join(run, runLayout.checkpoints, id, manifestNames.checkpoint);
  const checkpoint = await readDocument(checkpointManifestType, manifestPath);
  const candidate = ranking.candidates.get(checkpoint.digest);
  const artifact = await readArtifactOf(run, id, checkpoint);
  return {
    id,
    step: checkpoint.step,
    epoch: checkpoint.epoch,
    metrics: restoreMetrics(checkpoint.metrics),
    sizeBytes: checkpoint.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    digest: checkpoint.digest,
    formats: artifact?.formats ?? [],
    ...(candidate?.rank === undefined ? {} : { rank: candidate.rank }),
    isPick: candidate !== undefined && ranking.pick === candidate.id,
    aliases: held.filter((holder) => holder.artifact.digest === artifact?.digest).map(({ alias }) => alias),
  };
}

/** What a checkpoint was frozen to; an artifact under its name that was made from another one does not count. */
async function readArtifactOf(
  run: string,
  id: string,
  { digest }: Sealed<CheckpointManifest>,
): Promise<Sealed<ArtifactManifest> | undefined> {
  const artifactPath = join(run, runLayout.artifacts, id, manifestNames.artifact);
  const artifact = await readIfValid(() => readDocument(artifactManifestType, artifactPath));
  return "value" in artifact && artifact.value.source.digest === digest ? artifact.value : undefined;
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
