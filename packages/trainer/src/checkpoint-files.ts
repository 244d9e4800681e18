import { CkptError, isInsidePath, parseDocument, probeFileName, serializeDocument } from "@ckpt/manifest";

import { type ArraySpec, type NamedArray, sizeArraysBytes, unpackArrays } from "./named-array.js";
import { type TrainingStateDocument, trainingStateDocumentType } from "./training-state-document.js";
import type { OptimizerSnapshot, RestorableState, StateSnapshot } from "./training-state.js";
import { cutWeights, defaultMaxShardSizeBytes } from "./weight-shards.js";

/** Names of the files in a checkpoint folder besides its manifest and the weights. */
export const checkpointFileNames = {
  model: "model.json",
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

/**
 * A file of a checkpoint before it is written, in plain data: what its text is made of, or which of the bytes of the packed
 * arrays it holds.
 */
export type CheckpointFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly document: TrainingStateDocument }
  | { readonly path: string; readonly startByte: number; readonly endByte: number };

/** The text of a file that is not a part of the packed arrays. */
export function formatCheckpointFile(file: Exclude<CheckpointFile, { readonly startByte: number }>): string {
  return "text" in file ? file.text : serializeDocument(file.document);
}

/** A checkpoint before it is written. */
export interface CheckpointLayout {
  /** To be packed in this order. */
  readonly arrays: readonly NamedArray[];
  readonly files: readonly CheckpointFile[];
}

/**
 * Lays a snapshot out as files. `model.json` with the weight files is a TensorFlow.js LayersModel. The weight files and
 * `training-state.bin`, one after the other, hold the weights, then the optimizer's slots, then its scalars, each once:
 * the slots belong to the weight files where TensorFlow.js can load them along with the model.
 *
 * @param maxShardSizeBytes - Weights beyond it go to further files.
 * @param probe - Rows of real data for a file of their own.
 */
export function serializeCheckpoint(
  snapshot: StateSnapshot,
  progress: TrainingProgressState,
  maxShardSizeBytes: number = defaultMaxShardSizeBytes,
  probe: readonly NamedArray[] = [],
): CheckpointLayout {
  const { weights, optimizer, isOptimizerLoadable } = snapshot;
  const slots = optimizer === undefined ? [] : [createIterations(optimizer), ...optimizer.slots];
  const loadable = isOptimizerLoadable ? slots : [];
  const arrays = [...weights, ...slots, ...(optimizer?.scalars ?? [])];
  const loadableBytes = sizeArraysBytes([...weights, ...loadable]);
  const shards = cutWeights(loadableBytes, maxShardSizeBytes);
  const specs = [...weights.map(toWeightSpec), ...loadable.map(toOptimizerWeightSpec)];
  const weightsManifest = [{ paths: shards.map(({ path }) => path), weights: specs }];
  const { position, historyCount, policy, stop, random, loop } = progress;
  const document: TrainingStateDocument = {
    kind: "training-state",
    schemaVersion: trainingStateDocumentType.schemaVersion,
    position,
    historyCount,
    policy,
    ...(stop === undefined ? {} : { stop }),
    random,
    // The loop may go on to change what it handed over.
    loop: structuredClone(loop),
    optimizer: optimizer === undefined ? null : describeOptimizer(optimizer),
  };
  const stateBytes = sizeArraysBytes(arrays);
  const probeFile = { path: probeFileName, startByte: stateBytes, endByte: stateBytes + sizeArraysBytes(probe) };
  return {
    arrays: [...arrays, ...probe],
    files: [
      { path: checkpointFileNames.model, text: serializeModelJson(snapshot.model, weightsManifest) },
      ...shards,
      { path: checkpointFileNames.stateDocument, document },
      { path: checkpointFileNames.stateTensors, startByte: loadableBytes, endByte: stateBytes },
      ...(probe.length === 0 ? [] : [probeFile]),
    ],
  };
}

// A text goes to another thread at a fraction of the cost of the objects it stands for.
const modelTexts = new WeakMap<object, string>();

/** The text of a `model.json`; that of the fields is kept for as long as they are the same object. */
function serializeModelJson(fields: StateSnapshot["model"], weightsManifest: readonly object[]): string {
  const text = modelTexts.get(fields) ?? JSON.stringify(fields).slice(0, -1);
  modelTexts.set(fields, text);
  return `${text}${text === "{" ? "" : ","}"weightsManifest":${JSON.stringify(weightsManifest)}}\n`;
}

/** How {@link parseCheckpoint} gets at a folder's files. */
export interface CheckpointReader {
  readText(file: string): Promise<string>;
  /** The bytes of several files, one after the other. */
  readJoined(files: readonly string[]): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Reads the files of a checkpoint back; the reverse of {@link serializeCheckpoint}.
 *
 * @param path - The folder, named in errors.
 * @throws {CkptError} MANIFEST_INVALID, SCHEMA_TOO_NEW, UNSAFE_PATH or MODEL_UNREADABLE when a file is not what its name
 *   says.
 */
export async function parseCheckpoint(reader: CheckpointReader, path: string): Promise<CheckpointContent> {
  const text = await reader.readText(checkpointFileNames.stateDocument);
  const document = parseDocument(trainingStateDocumentType, text, `${path}/${checkpointFileNames.stateDocument}`);
  const { kind: _kind, schemaVersion: _version, digest: _digest, optimizer, ...progress } = document;
  const { specs: weightSpecs, paths } = parseWeightsManifest(await reader.readText(checkpointFileNames.model), path);
  const slotSpecs = optimizer?.slots ?? [];
  const scalarSpecs = optimizer?.scalars ?? [];

  const bytes = await reader.readJoined([...paths, checkpointFileNames.stateTensors]);
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

/** The model's own weights, and the files they begin in; the optimizer's are described in `training-state.json`. */
function parseWeightsManifest(
  text: string,
  path: string,
): { readonly specs: readonly ArraySpec[]; readonly paths: readonly string[] } {
  let groups: readonly { readonly paths: readonly string[]; readonly weights: readonly WeightSpec[] }[];
  let paths: readonly string[];
  let specs: readonly WeightSpec[];
  try {
    ({ weightsManifest: groups } = JSON.parse(text) as { readonly weightsManifest: typeof groups });
    paths = groups.flatMap((group) => group.paths);
    specs = groups.flatMap(({ weights }) => weights);
  } catch (cause) {
    throw unreadable(path, `${checkpointFileNames.model} is not a LayersModel: ${(cause as Error).message}`, cause);
  }
  const outside = paths.find((file) => !isInsidePath(file));
  if (outside !== undefined) throw new CkptError("UNSAFE_PATH", { path, named: outside });
  return { specs: specs.filter(({ group }) => group !== "optimizer").map(toWeightSpec), paths };
}

function unreadable(path: string, reason: string, cause?: unknown): CkptError {
  const remedy = "Check the folder with `ckpt verify`; resume from an older checkpoint.";
  return new CkptError("MODEL_UNREADABLE", { path, reason, remedy }, { cause });
}
