import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import {
  checkpointManifestType,
  CkptError,
  compareCheckpointNames,
  isCkptError,
  manifestNames,
  nodeFileSystem,
  parseCheckpointName,
  readDocument,
  runLayout,
  runManifestType,
} from "@ckpt/manifest";

import { digestModelFiles, readModelFiles } from "./model-files.js";
import {
  checkpointStateFile,
  readSavedModelSource,
  readTensorFlowCheckpoint,
  readTensorFlowFolder,
  savedModelGraph,
} from "./read-tensorflow-source.js";
import type { CheckpointSource, GraphModelSource, LayersModelSource, RunSource, Source } from "./source.js";

const expected =
  "Name a run, a checkpoint folder, the model.json of a TensorFlow.js LayersModel or GraphModel, a folder or prefix of " +
  "TensorFlow's checkpoints, or a SavedModel.";

/** How a source is read. */
export interface ReadSourceOptions {
  /** A file with the graph of TensorFlow's checkpoints: `.meta`, `.pb` or `.pbtxt`. Default: the `.meta` beside each. */
  readonly graph?: string | undefined;
}

/**
 * Finds out what stands at `path` and reads what identifies it: a run (a folder with `run.json`), a checkpoint (a
 * folder with `checkpoint.json`), a LayersModel or a GraphModel (its `model.json`); of TensorFlow a SavedModel (a folder
 * with `saved_model.pb`), a folder of checkpoints (with the file `checkpoint`), or one by its prefix. Weights are read
 * later, one model at a time.
 *
 * @throws {CkptError} MODEL_UNREADABLE when it is none of these or a checkpoint without a graph; CHECKPOINT_NOT_FOUND when a
 *   run or folder has no valid checkpoint; UNSAFE_PATH when a `model.json` names a shard outside its folder; FILE_MISSING
 *   when a shard or `graph` is not there; MANIFEST_INVALID and SCHEMA_TOO_NEW for a manifest that cannot be used;
 *   BUNDLE_INVALID for a damaged file `checkpoint`; INVALID_OPTION for a graph of something else.
 */
export async function readSource(path: string, { graph }: ReadSourceOptions = {}): Promise<Source> {
  const source = await findSource(path, graph);
  if (graph === undefined || source.kind.startsWith("tensorflow-")) return source;
  const needed = "a checkpoint of TensorFlow, or a folder of them";
  throw new CkptError("INVALID_OPTION", { option: "--graph", expected: needed, found: `${source.kind} ${path}` });
}

async function findSource(path: string, graph: string | undefined): Promise<Source> {
  const names = await listFolder(path);
  if (typeof names === "string") {
    // The one file of a V1 checkpoint has its graph beside it; any other file is a model of TensorFlow.js or nothing.
    const isModel = names === "file" && graph === undefined && (await listFolder(`${path}.meta`)) === "nothing";
    const isCheckpoint = !isModel && !path.endsWith(".json");
    const checkpoint = isCheckpoint ? await readTensorFlowCheckpoint(path, graph) : undefined;
    if (checkpoint !== undefined) return checkpoint;
    if (names === "file") return readModelSource(path);
    throw new CkptError("MODEL_UNREADABLE", { path, reason: "no such file or folder", remedy: expected });
  }
  if (names.includes(runLayout.manifest)) return readRunSource(path);
  if (names.includes(manifestNames.checkpoint)) return readCheckpointSource(path);
  if (names.includes(savedModelGraph)) return readSavedModelSource(path);
  if (names.includes(checkpointStateFile)) return readTensorFlowFolder(path, graph);
  const manifests = `${runLayout.manifest}, ${manifestNames.checkpoint}, ${savedModelGraph} or ${checkpointStateFile}`;
  throw new CkptError("MODEL_UNREADABLE", { path, reason: `a folder without ${manifests} in it`, remedy: expected });
}

/** Names in the folder, or what else it is. */
async function listFolder(path: string): Promise<readonly string[] | "file" | "nothing"> {
  try {
    return (await stat(path)).isDirectory() ? await readdir(path) : "file";
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return "nothing";
    throw new CkptError("MODEL_UNREADABLE", { path, reason: message, remedy: expected }, { cause });
  }
}

async function readCheckpointSource(path: string): Promise<CheckpointSource> {
  const manifest = await readDocument(checkpointManifestType, join(path, manifestNames.checkpoint));
  const { digest, step, files, probe } = manifest;
  return { kind: "checkpoint", path, digest, step, files, ...(probe === undefined ? {} : { probe }) };
}

async function readModelSource(path: string): Promise<LayersModelSource | GraphModelSource> {
  const files = await readModelFiles(path, (file) => readFile(join(dirname(path), file)));
  const kind = files.json.format === "graph-model" ? "graph-model" : "layers-model";
  return { kind, path, digest: digestModelFiles(files) };
}

async function readRunSource(path: string): Promise<RunSource> {
  await readDocument(runManifestType, join(path, runLayout.manifest));
  const folder = join(path, runLayout.checkpoints);
  const checkpoints: CheckpointSource[] = [];
  const skipped: string[] = [];
  for (const name of (await nodeFileSystem.list(folder)).toSorted(compareCheckpointNames)) {
    if (parseCheckpointName(name) === undefined) continue;
    try {
      checkpoints.push(await readCheckpointSource(join(folder, name)));
    } catch (error) {
      // What was never committed does not exist; what is damaged has to be told.
      if (isCkptError(error, "MANIFEST_MISSING")) continue;
      if (!isCkptError(error, "MANIFEST_INVALID")) throw error;
      skipped.push(error.message);
    }
  }
  if (checkpoints.length === 0) throw new CkptError("CHECKPOINT_NOT_FOUND", { path, skipped });
  return { kind: "run", path, checkpoints, skipped };
}
