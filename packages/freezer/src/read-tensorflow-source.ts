import { dirname, join } from "node:path";

import { CkptError, digestBytes, digestFile } from "@ckpt/manifest";
import { findCheckpoint, listCheckpoints, type ListedCheckpoint } from "@ckpt/tensor-bundle";

import type { SavedModelSource, TensorFlowCheckpointSource, TensorFlowFolderSource } from "./source.js";

/** In a folder that TensorFlow saves checkpoints in: what names them. */
export const checkpointStateFile = "checkpoint";

/** The file that makes a folder a SavedModel. */
export const savedModelGraph = "saved_model.pb";

/** What `openBundle` takes for the variables of a SavedModel. */
export function savedModelVariables(path: string): string {
  return join(path, "variables", "variables");
}

/**
 * Reads what identifies each checkpoint of a folder of TensorFlow's.
 *
 * @param graph - A file with the graph of all of them. Default: the `.meta` beside each.
 * @throws {CkptError} CHECKPOINT_NOT_FOUND when none has all its files; BUNDLE_INVALID and UNSAFE_PATH for the `checkpoint`
 *   file; FILE_MISSING for `graph`; FILE_SYSTEM.
 */
export async function readTensorFlowFolder(path: string, graph?: string): Promise<TensorFlowFolderSource> {
  const listed = await listCheckpoints(path);
  const skipped = listed.missing.map(
    (name) => `${name}: listed in ${join(path, checkpointStateFile)}, but no such file`,
  );
  const checkpoints: TensorFlowCheckpointSource[] = [];
  for (const checkpoint of listed.checkpoints) {
    const graphPath = graph ?? checkpoint.metaPath;
    if (graphPath === undefined) skipped.push(`${checkpoint.name}: ${describeMissingGraph(checkpoint.prefix)}`);
    else checkpoints.push(await describeCheckpoint(checkpoint, graphPath));
  }
  if (checkpoints.length === 0) throw new CkptError("CHECKPOINT_NOT_FOUND", { path, skipped });
  return { kind: "tensorflow-folder", path, checkpoints, skipped };
}

/**
 * Reads what identifies the checkpoint with this prefix; `undefined` where TensorFlow saved none.
 *
 * @param graph - The file with its graph. Default: the `.meta` beside it.
 * @throws {CkptError} MODEL_UNREADABLE when it has no graph; FILE_MISSING for `graph`; FILE_SYSTEM.
 */
export async function readTensorFlowCheckpoint(
  prefix: string,
  graph?: string,
): Promise<TensorFlowCheckpointSource | undefined> {
  const found = await findCheckpoint(prefix);
  if (found === undefined) return undefined;
  const graphPath = graph ?? found.metaPath;
  if (graphPath !== undefined) return describeCheckpoint(found, graphPath);
  throw new CkptError("MODEL_UNREADABLE", {
    path: prefix,
    reason: describeMissingGraph(prefix),
    remedy: "Name the file with its graph, a .meta, .pb or .pbtxt: --graph FILE.",
  });
}

/**
 * Reads what identifies a SavedModel.
 *
 * @throws {CkptError} FILE_MISSING; FILE_SYSTEM.
 */
export async function readSavedModelSource(path: string): Promise<SavedModelSource> {
  const variables = await findCheckpoint(savedModelVariables(path));
  const files = [join(path, savedModelGraph), ...listFiles(variables)];
  return { kind: "saved-model", path, digest: await digestFiles(files), sizeBytes: variables?.sizeBytes ?? 0 };
}

/**
 * The digest that a source gets when it is read now.
 *
 * @throws {CkptError} FILE_MISSING and FILE_SYSTEM.
 */
export async function digestTensorFlowSource(source: TensorFlowCheckpointSource | SavedModelSource): Promise<string> {
  if (source.kind === "saved-model") return (await readSavedModelSource(source.path)).digest;
  return digestFiles([source.graph, ...listFiles(await findCheckpoint(source.path))]);
}

async function describeCheckpoint(checkpoint: ListedCheckpoint, graph: string): Promise<TensorFlowCheckpointSource> {
  const { prefix, step, sizeBytes } = checkpoint;
  return {
    kind: "tensorflow-checkpoint",
    path: prefix,
    graph,
    digest: await digestFiles([graph, ...listFiles(checkpoint)]),
    ...(step === undefined ? {} : { step }),
    sizeBytes,
  };
}

function listFiles(checkpoint: ListedCheckpoint | undefined): readonly string[] {
  return checkpoint === undefined ? [] : checkpoint.files.map((file) => join(dirname(checkpoint.prefix), file));
}

async function digestFiles(paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const path of paths) lines.push(`${await digestOne(path)}\n`);
  return digestBytes(lines.join(""));
}

async function digestOne(path: string): Promise<string> {
  try {
    return (await digestFile(path)).sha256;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new CkptError("FILE_MISSING", { path }, { cause });
    throw new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
}

function describeMissingGraph(prefix: string): string {
  return `no graph beside it, ${prefix}.meta is not there`;
}
