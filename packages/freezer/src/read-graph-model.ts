import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { tf } from "#tfjs";

/** Reads a GraphModel that the freezer wrote: its `model.json`, and the shards beside it. */
export async function readGraphModel(path: string): Promise<tf.io.ModelArtifacts> {
  const json = JSON.parse(await readFile(path, "utf8")) as tf.io.ModelJSON;
  return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
    const shards: ArrayBuffer[] = [];
    for (const file of manifest.flatMap(({ paths }) => paths)) shards.push(await readBuffer(join(dirname(path), file)));
    return [tf.io.getWeightSpecs(manifest), shards];
  });
}

async function readBuffer(path: string): Promise<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  const isWhole = byteLength === buffer.byteLength;
  return isWhole && buffer instanceof ArrayBuffer
    ? buffer
    : new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
}
