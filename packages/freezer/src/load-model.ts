import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { CkptError, digestBytes, manifestNames, serializeCanonicalJson, verifyFiles } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import { digestModelFiles, joinShards, type ModelFiles, readModelFiles } from "./model-files.js";
import { decodeSavedWeights, type SavedWeight } from "./saved-weights.js";
import type { CheckpointSource, LayersModelSource, ModelSource } from "./source.js";

/** A model of a source, read and checked, outside of TensorFlow.js. */
export interface LoadedModel {
  readonly source: ModelSource;
  readonly topology: object;
  /** SHA-256 of the topology's canonical JSON: models with equal ones differ in their weights only. */
  readonly topologyDigest: string;
  readonly weightSpecs: readonly tf.io.WeightsManifestEntry[];
  /** All weights, as `weightSpecs` describes them. */
  readonly weightBytes: Uint8Array<ArrayBuffer>;
  /** The model's own weights by TensorFlow.js's name. */
  readonly weights: ReadonlyMap<string, SavedWeight>;
}

/**
 * Reads the topology and the weights of a source. Of a checkpoint, every file used is checked against its manifest
 * first; of a LayersModel, that it still is the one the source was read from.
 *
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or UNSAFE_PATH naming the file that is damaged;
 *   MODEL_UNREADABLE when the files are no LayersModel; UNSUPPORTED_DTYPE for string and complex weights.
 */
export async function loadModel(source: ModelSource): Promise<LoadedModel> {
  const { json, shards } = source.kind === "checkpoint" ? await readCheckpoint(source) : await readLayersModel(source);
  const weightBytes = joinShards(shards);
  return {
    source,
    topology: json.topology,
    topologyDigest: digestBytes(serializeCanonicalJson(json.topology)),
    weightSpecs: json.weightSpecs,
    weightBytes,
    weights: decodeSavedWeights(weightBytes, json.weightSpecs, source.path),
  };
}

function readCheckpoint({ path, files }: CheckpointSource): Promise<ModelFiles> {
  return readModelFiles(join(path, "model.json"), async (file) => {
    const entry = files.find((listed) => listed.path === file);
    if (entry === undefined) {
      const reason = `${manifestNames.checkpoint} does not list ${file}`;
      throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Name a checkpoint of a LayersModel." });
    }
    const [problem] = await verifyFiles(path, [entry]);
    if (problem !== undefined) throw problem;
    return readFile(join(path, ...file.split("/")));
  });
}

async function readLayersModel({ path, digest }: LayersModelSource): Promise<ModelFiles> {
  const files = await readModelFiles(path, (file) => readFile(join(dirname(path), file)));
  const found = digestModelFiles(files);
  if (found !== digest) throw new CkptError("DIGEST_MISMATCH", { path, expected: digest, found });
  return files;
}
