import { CkptError, parseDocument, serializeDocument } from "@ckpt/manifest";

import { type ArraySpec, type NamedArray, packArrays, sizeArraysBytes, unpackArrays } from "./named-array.js";
import { type TrainingStateDocument, trainingStateDocumentType } from "./training-state-document.js";
import type { OptimizerSnapshot, RestorableState, StateSnapshot } from "./training-state.js";

/** Names of the files in a checkpoint folder besides its manifest. */
export const checkpointFileNames = {
  model: "model.json",
  weights: "weights.bin",
  stateDocument: "training-state.json",
  stateTensors: "training-state.bin",
} as const;

/** Everything of a training state that is not a tensor. */
export type TrainingProgressState = Omit<TrainingStateDocument, "kind" | "schemaVersion" | "optimizer">;

/** What a checkpoint folder holds, read back. */
export interface CheckpointContent {
  readonly state: RestorableState;
  readonly progress: TrainingProgressState;
}

/** A file of a checkpoint before it is written. */
export interface CheckpointFile {
  readonly path: string;
  readonly data: Uint8Array | string;
}

/**
 * Lays a snapshot out as files. `model.json` with `weights.bin` is a TensorFlow.js LayersModel. `weights.bin` and
 * `training-state.bin`, one after the other, hold the weights, then the optimizer's slots, then its scalars, each once:
 * the slots belong to `weights.bin` where TensorFlow.js can load them along with the model. It is one file since the
 * http loader of TensorFlow.js 4.22 reads zeros from the second of two if that is the longer one.
 */
export function serializeCheckpoint(
  snapshot: StateSnapshot,
  progress: TrainingProgressState,
): readonly CheckpointFile[] {
  const { weights, optimizer, isOptimizerLoadable } = snapshot;
  const slots = optimizer === undefined ? [] : [createIterations(optimizer), ...optimizer.slots];
  const scalars = optimizer?.scalars ?? [];
  const loadable = isOptimizerLoadable ? slots : [];
  const specs = [...weights.map(toWeightSpec), ...loadable.map(toOptimizerWeightSpec)];
  const modelJson = { ...snapshot.model, weightsManifest: [{ paths: [checkpointFileNames.weights], weights: specs }] };
  const { position, historyCount, policy, random, loop } = progress;
  const document: TrainingStateDocument = {
    kind: "training-state",
    schemaVersion: trainingStateDocumentType.schemaVersion,
    position,
    historyCount,
    policy,
    random,
    loop,
    optimizer: optimizer === undefined ? null : describeOptimizer(optimizer),
  };
  return [
    { path: checkpointFileNames.model, data: `${JSON.stringify(modelJson)}\n` },
    { path: checkpointFileNames.weights, data: packArrays([...weights, ...loadable]) },
    { path: checkpointFileNames.stateDocument, data: serializeDocument(document) },
    {
      path: checkpointFileNames.stateTensors,
      data: packArrays(isOptimizerLoadable ? scalars : [...slots, ...scalars]),
    },
  ];
}

/**
 * Reads the files of a checkpoint back; the reverse of {@link serializeCheckpoint}.
 *
 * @param read - Gives the bytes of one file of the folder.
 * @param path - The folder, named in errors.
 * @throws {CkptError} MANIFEST_INVALID, SCHEMA_TOO_NEW or MODEL_UNREADABLE when a file is not what its name says.
 */
export async function parseCheckpoint(
  read: (file: string) => Promise<Uint8Array>,
  path: string,
): Promise<CheckpointContent> {
  const text = new TextDecoder().decode(await read(checkpointFileNames.stateDocument));
  const document = parseDocument(trainingStateDocumentType, text, `${path}/${checkpointFileNames.stateDocument}`);
  const { position, historyCount, policy, random, loop, optimizer } = document;
  const progress = { position, historyCount, policy, random, loop };
  const weightSpecs = parseWeightSpecs(await read(checkpointFileNames.model), path);
  const slotSpecs = optimizer?.slots ?? [];
  const scalarSpecs = optimizer?.scalars ?? [];

  const bytes = Buffer.concat([await read(checkpointFileNames.weights), await read(checkpointFileNames.stateTensors)]);
  const slotsStart = sizeArraysBytes(optimizer === null ? weightSpecs : [...weightSpecs, iterationsSpec]);
  const scalarsStart = slotsStart + sizeArraysBytes(slotSpecs);
  const size = scalarsStart + sizeArraysBytes(scalarSpecs);
  if (bytes.byteLength !== size) {
    throw unreadable(path, `its tensors take ${size} bytes, the files hold ${bytes.byteLength}`);
  }
  const weights = unpackArrays(bytes, weightSpecs);
  if (optimizer === null) return { state: { weights }, progress };
  const { className, config, iterations } = optimizer;
  const slots = unpackArrays(bytes, slotSpecs, slotsStart);
  const scalars = unpackArrays(bytes, scalarSpecs, scalarsStart);
  return { state: { weights, optimizer: { className, config, iterations, slots, scalars } }, progress };
}

const iterationsSpec: ArraySpec = { name: "iter", dtype: "int32", shape: [] };

function createIterations({ iterations }: OptimizerSnapshot): NamedArray {
  return { ...iterationsSpec, data: Int32Array.of(iterations) };
}

function describeOptimizer(optimizer: OptimizerSnapshot): NonNullable<TrainingStateDocument["optimizer"]> {
  const { className, config, iterations, slots, scalars } = optimizer;
  return {
    className,
    config,
    iterations,
    slots: slots.map(({ name, dtype, shape, slot, variable }) => ({ name, dtype, shape, slot, variable })),
    scalars: scalars.map(toWeightSpec),
  };
}

/** An entry of the `weightsManifest` of `model.json`. */
interface WeightSpec extends ArraySpec {
  readonly group?: string;
}

function toWeightSpec({ name, dtype, shape }: ArraySpec): ArraySpec {
  return { name, dtype, shape };
}

function toOptimizerWeightSpec({ name, dtype, shape }: ArraySpec): WeightSpec {
  return { name, dtype, shape, group: "optimizer" };
}

/** The model's own weights; the optimizer's are described in `training-state.json`. */
function parseWeightSpecs(bytes: Uint8Array, path: string): readonly ArraySpec[] {
  try {
    const { weightsManifest } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly weightsManifest: readonly { readonly weights: readonly WeightSpec[] }[];
    };
    const specs = weightsManifest.flatMap(({ weights }) => weights);
    return specs.filter(({ group }) => group !== "optimizer").map(toWeightSpec);
  } catch (cause) {
    throw unreadable(path, `${checkpointFileNames.model} is not a LayersModel: ${(cause as Error).message}`, cause);
  }
}

function unreadable(path: string, reason: string, cause?: unknown): CkptError {
  const remedy = "Check the folder with `ckpt verify`; resume from an older checkpoint.";
  return new CkptError("MODEL_UNREADABLE", { path, reason, remedy }, { cause });
}
