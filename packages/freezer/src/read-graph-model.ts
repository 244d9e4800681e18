import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import * as tf from "@tensorflow/tfjs";

import { joinShards } from "./model-files.js";

/** Reads a GraphModel that the freezer wrote: its `model.json`, and the shards beside it. */
export async function readGraphModel(path: string): Promise<tf.io.ModelArtifacts> {
  const json = JSON.parse(await readFile(path, "utf8")) as tf.io.ModelJSON;
  return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
    const shards: Uint8Array[] = [];
    for (const file of manifest.flatMap(({ paths }) => paths)) shards.push(await readFile(join(dirname(path), file)));
    return [tf.io.getWeightSpecs(manifest), joinShards(shards).buffer];
  });
}
