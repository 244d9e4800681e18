import { basename, dirname, join } from "node:path";

import { CkptError, digestBytes, isCkptError } from "@ckpt/manifest";

import { type ModelJson, parseModelJson } from "./model-json.js";

/** The bytes of a model's files. */
export interface ModelFiles {
  readonly json: ModelJson;
  readonly jsonBytes: Uint8Array;
  /** In the order in which `model.json` names them. */
  readonly shards: readonly Uint8Array[];
}

/**
 * Reads `model.json` and the shards it names.
 *
 * @param path - Of `model.json`; named in errors.
 * @param readBytes - Reads a file by its path relative to the folder of `model.json`.
 * @throws {CkptError} as {@link parseModelJson} does; FILE_MISSING and FILE_SYSTEM; and what `readBytes` throws.
 */
export async function readModelFiles(
  path: string,
  readBytes: (file: string) => Promise<Uint8Array>,
): Promise<ModelFiles> {
  const read = async (file: string): Promise<Uint8Array> => {
    try {
      return await readBytes(file);
    } catch (cause) {
      throw describeReadError(join(dirname(path), file), cause);
    }
  };
  const jsonBytes = await read(basename(path));
  const json = parseModelJson(new TextDecoder().decode(jsonBytes), path);
  const shards: Uint8Array[] = [];
  for (const shard of json.shardPaths) shards.push(await read(shard));
  return { json, jsonBytes, shards };
}

function describeReadError(path: string, cause: unknown): CkptError {
  if (isCkptError(cause)) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR"
    ? new CkptError("FILE_MISSING", { path }, { cause })
    : new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
}

/** SHA-256 over the digests of `model.json` and of the shards in their order, each on a line. */
export function digestModelFiles({ jsonBytes, shards }: ModelFiles): string {
  return digestBytes([jsonBytes, ...shards].map((bytes) => `${digestBytes(bytes)}\n`).join(""));
}

/** The shards as one run of bytes, which is all of its buffer. A single one is not copied where it is that already. */
export function joinShards(shards: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only] = shards;
  if (shards.length === 1 && only?.buffer instanceof ArrayBuffer && only.byteLength === only.buffer.byteLength) {
    return new Uint8Array(only.buffer);
  }
  const joined = new Uint8Array(shards.reduce((size, shard) => size + shard.byteLength, 0));
  let offset = 0;
  for (const shard of shards) {
    joined.set(shard, offset);
    offset += shard.byteLength;
  }
  return joined;
}
