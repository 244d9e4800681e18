import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { CkptError, digestBytes, manifestNames, readVerifiedFile, serializeCanonicalJson } from "@ckpt/manifest";

import { digestModelFiles, joinShards, type ModelFiles, readModelFiles } from "./model-files.js";
import type { ModelJson } from "./model-json.js";
import { decodeSavedWeights, type SavedWeight } from "./saved-weights.js";
import type { CheckpointSource, TfjsModelSource } from "./source.js";

/** A model of a source, read and checked, outside of TensorFlow.js. */
export interface LoadedModel {
  readonly source: TfjsModelSource;
  readonly json: ModelJson;
  /** SHA-256 of the topology's canonical JSON: models with equal ones differ in their weights only. */
  readonly topologyDigest: string;
  /** All weights, as `json.weightSpecs` describes them. */
  readonly weightBytes: Uint8Array<ArrayBuffer>;
  /** The model's own weights by TensorFlow.js's name. */
  readonly weights: ReadonlyMap<string, SavedWeight>;
}

/**
 * Reads the topology and the weights of a source. Of a checkpoint, every file used is checked against its manifest
 * first; of a `model.json`, that it still is the one the source was read from.
 *
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or UNSAFE_PATH naming the file that is damaged;
 *   MODEL_UNREADABLE when the files are no model; UNSUPPORTED_DTYPE for string and complex weights.
 */
export async function loadModel(source: TfjsModelSource): Promise<LoadedModel> {
  const { json, shards } = source.kind === "checkpoint" ? await readCheckpoint(source) : await readModel(source);
  const weightBytes = joinShards(shards);
  return {
    source,
    json,
    topologyDigest: digestTopology(json, source),
    weightBytes,
    weights: decodeSavedWeights(weightBytes, json.weightSpecs, source.path),
  };
}

function readCheckpoint({ path, files }: CheckpointSource): Promise<ModelFiles> {
  return readModelFiles(join(path, "model.json"), async (file) => {
    const entry = files.find((listed) => listed.path === file);
    if (entry === undefined) {
      const reason = `${manifestNames.checkpoint} does not list ${file}`;
      throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Name a checkpoint folder as it was written." });
    }
    return readVerifiedFile(path, entry);
  });
}

// The sizes and axes of a GraphModel are weights of it: others are another topology.
function digestTopology({ format, topology }: ModelJson, source: TfjsModelSource): string {
  return format === "graph-model" ? source.digest : digestBytes(serializeCanonicalJson(topology));
}

async function readModel({ path, digest }: Exclude<TfjsModelSource, CheckpointSource>): Promise<ModelFiles> {
  const files = await readModelFiles(path, (file) => readFile(join(dirname(path), file)));
  const found = digestModelFiles(files);
  if (found !== digest) throw new CkptError("DIGEST_MISMATCH", { path, expected: digest, found });
  return files;
}
