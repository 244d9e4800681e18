import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  checkpointManifestType,
  checkpointPath,
  digestBytes,
  manifestNames,
  runLayout,
  runManifestType,
  serializeDocument,
  stageFolder,
} from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { onTestFinished } from "vitest";

/** A folder that is removed after the test. */
export async function createTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ckpt-freezer-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface SavedModel {
  readonly json: string;
  readonly weights: Uint8Array<ArrayBuffer>;
}

async function saveModel(model: tf.LayersModel, shardPaths: readonly string[]): Promise<SavedModel> {
  let saved: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const { modelTopology, format, generatedBy, convertedBy, weightSpecs, weightData } = saved;
  if (!(weightData instanceof ArrayBuffer)) throw new TypeError("expected one buffer of weights");
  const weightsManifest = [{ paths: shardPaths, weights: weightSpecs }];
  return {
    json: JSON.stringify({ modelTopology, format, generatedBy, convertedBy, weightsManifest }),
    weights: new Uint8Array(weightData),
  };
}

/** Commits a checkpoint folder as a trainer does. */
export async function writeCheckpoint(folder: string, model: tf.LayersModel, step: number): Promise<string> {
  return commitCheckpoint(folder, await saveModel(model, ["weights.bin"]), step);
}

/** Commits a checkpoint of a model written by hand as a trainer does: variables, and no topology. */
export async function writeVariablesCheckpoint(
  folder: string,
  variables: Readonly<Record<string, tf.Variable>>,
  step: number,
): Promise<string> {
  const { specs, data } = await tf.io.encodeWeights({ ...variables });
  const weightsManifest = [{ paths: ["weights.bin"], weights: specs }];
  const json = JSON.stringify({ format: "variables", generatedBy: "test", convertedBy: null, weightsManifest });
  return commitCheckpoint(folder, { json, weights: new Uint8Array(data) }, step);
}

async function commitCheckpoint(folder: string, { json, weights }: SavedModel, step: number): Promise<string> {
  const staged = await stageFolder(folder);
  await staged.write("model.json", json);
  await staged.write("weights.bin", weights);
  await staged.commit(manifestNames.checkpoint, (files) => ({
    kind: checkpointManifestType.kind,
    schemaVersion: checkpointManifestType.schemaVersion,
    step,
    epoch: 1,
    metrics: {},
    reason: "every step",
    signature: {
      inputs: [{ name: "input", dtype: "float32", shape: [null] }],
      outputs: [{ name: "output", dtype: "float32", shape: [null] }],
    },
    files,
  }));
  return folder;
}

/** Writes a run with one checkpoint for each model, at steps 10, 20, ... */
export async function writeRun(run: string, models: readonly tf.LayersModel[]): Promise<void> {
  await mkdir(run, { recursive: true });
  const manifest = {
    kind: runManifestType.kind,
    schemaVersion: runManifestType.schemaVersion,
    name: "test",
    configDigest: digestBytes("config"),
    seed: 1,
    versions: {},
    backend: "cpu",
    data: [],
  };
  await writeFile(join(run, runLayout.manifest), serializeDocument(manifest));
  for (const [index, model] of models.entries()) {
    const step = (index + 1) * 10;
    await writeCheckpoint(checkpointPath(run, step), model, step);
  }
}

/** Writes a LayersModel as TensorFlow.js's own file handlers do, its weights cut into two shards. */
export async function writeLayersModel(folder: string, model: tf.LayersModel): Promise<string> {
  const names = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
  // Browsers put `./` in front of the names.
  const { json, weights } = await saveModel(
    model,
    names.map((name) => `./${name}`),
  );
  // Not at the end of a weight: shards are cut anywhere.
  const cut = Math.floor(weights.byteLength / 2) + 1;
  await mkdir(folder, { recursive: true });
  const path = join(folder, "model.json");
  await writeFile(path, json);
  await writeFile(join(folder, names[0] ?? ""), weights.subarray(0, cut));
  await writeFile(join(folder, names[1] ?? ""), weights.subarray(cut));
  return path;
}

/** Flips one bit in the middle of a file. */
export async function damageFile(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.byteLength / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** Digests of all files below a folder by path, with the inode and the time of change where asked for. */
export async function describeFolder(folder: string, hasIdentity = false): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const described = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { ino, mtimeMs } = await stat(path);
      const digest = digestBytes(await readFile(path));
      return [path.slice(folder.length + 1), hasIdentity ? `${digest} ${ino} ${mtimeMs}` : digest] as const;
    });
  return Object.fromEntries((await Promise.all(described)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
