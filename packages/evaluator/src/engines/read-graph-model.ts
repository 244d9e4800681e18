import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { CkptError, isInsidePath } from "@ckpt/manifest";
import type { io } from "@tensorflow/tfjs";

/** The files of a GraphModel: `model.json` and the bytes of its weight shards, one after the other. */
export interface GraphModelFiles {
  readonly model: io.ModelJSON;
  readonly weightData: ArrayBuffer;
}

/**
 * Reads a GraphModel from its `model.json`. TensorFlow.js itself has no reader of files without tfjs-node.
 *
 * @throws {CkptError} UNSAFE_PATH when a weight shard is outside the folder of `model.json`.
 */
export async function readGraphModel(path: string): Promise<GraphModelFiles> {
  const model = await readModelJson(path);
  const shards: Uint8Array[] = [];
  for (const shard of model.weightsManifest.flatMap((group) => group.paths)) {
    shards.push(await readFile(join(dirname(path), ...shard.split("/"))));
  }
  return { model, weightData: concatenate(shards) };
}

/** @throws {CkptError} UNSAFE_PATH as {@link readGraphModel}. */
export async function checkShards(path: string): Promise<void> {
  await readModelJson(path);
}

async function readModelJson(path: string): Promise<io.ModelJSON> {
  const model = JSON.parse(await readFile(path, "utf8")) as io.ModelJSON;
  const unsafe = model.weightsManifest.flatMap((group) => group.paths).find((shard) => !isInsidePath(shard));
  if (unsafe !== undefined) throw new CkptError("UNSAFE_PATH", { path, named: unsafe });
  return model;
}

function concatenate(parts: readonly Uint8Array[]): ArrayBuffer {
  const whole = new Uint8Array(parts.reduce((sizeBytes, part) => sizeBytes + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole.buffer;
}
