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
import type { CheckpointSource, GraphModelSource, LayersModelSource, RunSource, Source } from "./source.js";

const expected = "Name a run, a checkpoint folder, or the model.json of a TensorFlow.js LayersModel or GraphModel.";

/**
 * Finds out what stands at `path` and reads what identifies it: a run (a folder with `run.json`), a checkpoint (a
 * folder with `checkpoint.json`), a LayersModel or a GraphModel (its `model.json`). Weights are read later, one model at a time.
 *
 * @throws {CkptError} MODEL_UNREADABLE when it is none of these; CHECKPOINT_NOT_FOUND when a run has no valid
 *   checkpoint; UNSAFE_PATH when a `model.json` names a shard outside its folder; FILE_MISSING when a shard is not
 *   there; MANIFEST_INVALID and SCHEMA_TOO_NEW for a manifest that cannot be used.
 */
export async function readSource(path: string): Promise<Source> {
  const names = await listFolder(path);
  if (names === undefined) return readModelSource(path);
  if (names.includes(runLayout.manifest)) return readRunSource(path);
  if (names.includes(manifestNames.checkpoint)) return readCheckpointSource(path);
  const reason = `a folder with neither ${runLayout.manifest} nor ${manifestNames.checkpoint} in it`;
  throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: expected });
}

/** Names in the folder; `undefined` where `path` is a file. */
async function listFolder(path: string): Promise<readonly string[] | undefined> {
  try {
    return (await stat(path)).isDirectory() ? await readdir(path) : undefined;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" || code === "ENOTDIR" ? "no such file or folder" : message;
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: expected }, { cause });
  }
}

async function readCheckpointSource(path: string): Promise<CheckpointSource> {
  const { digest, step, files } = await readDocument(checkpointManifestType, join(path, manifestNames.checkpoint));
  return { kind: "checkpoint", path, digest, step, files };
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
