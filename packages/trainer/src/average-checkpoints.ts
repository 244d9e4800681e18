import { join } from "node:path";

import {
  type BatchNormSource,
  type CheckpointManifest,
  type CheckpointParent,
  CkptError,
  checkpointManifestType,
  compareParents,
  type FileSystem,
  formatAverageName,
  isCkptError,
  leaseFolder,
  manifestNames,
  nodeFileSystem,
  runLayout,
  stageFolder,
  verifyFiles,
} from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import { averageArrays, type ParentWeights } from "./average-arrays.js";
import { checkpointFileNames } from "./checkpoint-files.js";
import { type Checkpoint, readCheckpoint } from "./checkpoint-store.js";
import { createLayersModelState } from "./layers-model-state.js";
import { type NamedArray, packArrays, sizeArraysBytes } from "./named-array.js";
import { type ParentModel, readParentModel } from "./parent-model.js";
import { recomputeBatchNorm, type RecomputeBatchNormOptions } from "./recompute-batch-norm.js";
import { viewTensor } from "./tensor-array.js";
import { cutWeights, defaultMaxShardSizeBytes } from "./weight-shards.js";

/** How batch-norm statistics are computed for averaged weights. */
export interface AverageBatchNormOptions extends RecomputeBatchNormOptions {
  /** The parents' model; its weights are overwritten. One that is made by a function is disposed of afterwards. */
  readonly model: tf.LayersModel | (() => tf.LayersModel | Promise<tf.LayersModel>);
}

/** What to average, and the run the average goes to. */
export interface AverageCheckpointsOptions {
  readonly run: string;
  /** Two or more, in any order. */
  readonly checkpoints: readonly Checkpoint[];
  /** Default: the mean of the parents' statistics, which fits the averaged weights less well. */
  readonly recompute?: AverageBatchNormOptions;
  /** Default: the machine's own. */
  readonly fileSystem?: FileSystem;
}

/** An average in place. */
export interface AveragedCheckpoint extends Checkpoint {
  /** It was there already, of the same parents and unharmed, and was left as it is. */
  readonly isReused: boolean;
}

/**
 * Makes a checkpoint whose weights are the uniform mean of others. It has the topology, epoch and signature of its
 * newest parent, no metrics, since nothing was measured, and no training state, so that training never goes on from it.
 * No lock is needed, and training may go on meanwhile: the folder appears whole or not at all.
 *
 * @throws {CkptError} INVALID_OPTION for fewer than two checkpoints, one that is given twice, or nothing to recompute;
 *   WEIGHTS_MISMATCH when they are not of one model; the damage of a parent, by file; MODEL_UNREADABLE; TARGET_EXISTS
 *   when another average has the name by coincidence; FILE_SYSTEM; what {@link recomputeBatchNorm} throws.
 */
export async function averageCheckpoints({
  run,
  checkpoints,
  recompute,
  fileSystem = nodeFileSystem,
}: AverageCheckpointsOptions): Promise<AveragedCheckpoint> {
  const ordered = checkpoints.toSorted((a, b) => compareParents(toParent(a), toParent(b)));
  const newest = requireSeveral(ordered);
  const parents = ordered.map(toParent);
  const batchNorm = recompute && describeBatchNorm(recompute);
  const treatment = batchNorm && `bn ${batchNorm.split} ${batchNorm.batchSize} ${batchNorm.seed}`;
  const path = join(run, runLayout.checkpoints, formatAverageName(parents, treatment));
  const existing = await findExisting(path, parents);
  if (existing !== undefined) return { ...existing, isReused: true };

  // One file of the newest parent is needed besides its weights: the reading of all parents brings it along.
  let model: ParentModel | undefined;
  const read = async function* (): AsyncGenerator<ParentWeights> {
    for (const checkpoint of ordered) {
      const parent = await readLeased(checkpoint, fileSystem);
      requireSameTopology(model ?? parent, parent, checkpoint.path);
      model = { ...parent, weights: [] };
      yield { path: checkpoint.path, arrays: parent.weights };
    }
  };
  const mean = await averageArrays(read());
  const weights = recompute === undefined ? mean : await withBatchNorm(mean, recompute, newest.path);
  const staged = await stageFolder(path, { fileSystem, isReplacing: true });
  try {
    const specs = weights.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    const shards = cutWeights(sizeArraysBytes(weights), defaultMaxShardSizeBytes);
    const weightsManifest = [{ paths: shards.map((shard) => shard.path), weights: specs }];
    const modelJson = { ...model?.modelJson, weightsManifest };
    await staged.write(checkpointFileNames.model, `${JSON.stringify(modelJson)}\n`);
    const packed = new Uint8Array(sizeArraysBytes(weights));
    packArrays(weights, packed);
    for (const shard of shards) await staged.write(shard.path, packed.subarray(shard.startByte, shard.endByte));
    await staged.commit(manifestNames.checkpoint, (files): CheckpointManifest => ({
      kind: "checkpoint",
      schemaVersion: checkpointManifestType.schemaVersion,
      step: newest.step,
      epoch: newest.epoch,
      metrics: {},
      reason: `average of ${parents.length} checkpoints${batchNorm ? ", batch-norm statistics recomputed" : ""}`,
      signature: newest.manifest.signature,
      parents,
      ...(batchNorm === undefined ? {} : { batchNorm }),
      files,
    }));
  } catch (error) {
    // The error that stopped the commit matters; what cannot be removed is swept when the run is next opened.
    await staged.abandon().catch(() => undefined);
    throw error;
  }
  return { ...(await readCheckpoint(path)), isReused: false };
}

function toParent({ step, manifest }: Checkpoint): CheckpointParent {
  return { step, digest: manifest.digest };
}

function requireSeveral(ordered: readonly Checkpoint[]): Checkpoint {
  const newest = ordered.at(-1);
  const count = new Set(ordered.map(({ manifest }) => manifest.digest)).size;
  if (newest !== undefined && count > 1 && count === ordered.length) return newest;
  const steps = ordered.map(({ step }) => step).join(", ");
  const found = ordered.length === 0 ? "none" : `step ${steps}`;
  throw new CkptError("INVALID_OPTION", { option: "checkpoints", expected: "two or more different ones", found });
}

function describeBatchNorm({ split, batchSize, seed }: AverageBatchNormOptions): BatchNormSource {
  return { split: split.digest, batchSize, seed };
}

/** An average that has been made already and is unharmed; a damaged one is made again. */
async function findExisting(path: string, parents: readonly CheckpointParent[]): Promise<Checkpoint | undefined> {
  let found: Checkpoint;
  try {
    found = await readCheckpoint(path);
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING") || isCkptError(error, "MANIFEST_INVALID")) return undefined;
    throw error;
  }
  const digests = found.manifest.parents?.map(({ digest }) => digest).join();
  if (digests !== parents.map(({ digest }) => digest).join()) throw new CkptError("TARGET_EXISTS", { path });
  return (await verifyFiles(path, found.manifest.files)).length === 0 ? found : undefined;
}

function requireSameTopology(one: ParentModel, other: ParentModel, path: string): void {
  if (one.topologyDigest === other.topologyDigest) return;
  throw new CkptError("WEIGHTS_MISMATCH", {
    path,
    weight: "(all)",
    expected: "the layers that the older parents have",
    found: "other layers",
  });
}

/** The weights with recomputed statistics, under the names they have here: the model may have been numbered anew. */
async function withBatchNorm(
  weights: readonly NamedArray[],
  { model: given, ...options }: AverageBatchNormOptions,
  path: string,
): Promise<readonly NamedArray[]> {
  const model = typeof given === "function" ? await given() : given;
  try {
    await createLayersModelState(model).restore({ weights }, path);
    if ((await recomputeBatchNorm(model, options)) === 0) {
      const expected = "a model with BatchNormalization layers";
      throw new CkptError("INVALID_OPTION", { option: "batch-norm statistics", expected, found: "none" });
    }
    const own = new Map(model.weights.map((weight) => [weight.originalName, weight]));
    const hasSameNames = weights.every(({ name }) => own.has(name));
    const captured: NamedArray[] = [];
    for (const [index, { name }] of weights.entries()) {
      const weight = hasSameNames ? own.get(name) : model.weights[index];
      if (weight === undefined) throw new TypeError(`no weight ${name}`);
      const view = await viewTensor(name, weight.read());
      captured.push({ ...view, data: view.data.slice() });
    }
    return captured;
  } finally {
    if (typeof given === "function") {
      // A model disposes of its optimizer only if it made that itself.
      (model.optimizer as tf.Optimizer | undefined)?.dispose();
      model.dispose();
    }
  }
}

/** Retention does not delete it meanwhile. */
async function readLeased(checkpoint: Checkpoint, fileSystem: FileSystem): Promise<ParentModel> {
  const lease = await leaseFolder(checkpoint.path, fileSystem);
  try {
    return await readParentModel(checkpoint);
  } finally {
    await lease.release();
  }
}
