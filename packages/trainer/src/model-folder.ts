import { readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import {
  checkpointManifestType,
  CkptError,
  isCkptError,
  isInsidePath,
  manifestNames,
  readDocument,
  verifyFiles,
} from "@ckpt/manifest";
import { z } from "zod";

import { tf } from "#tfjs";

import { joinWeightData, sizeWeights } from "./weight-shards.js";

/** Name of the file that describes a model and says which others hold its weights. */
export const modelFileName = "model.json";

/** What is relied on of a `model.json`; the rest of it is TensorFlow.js's. */
const modelJsonSchema = z.looseObject({
  modelTopology: z.looseObject({}).optional(),
  format: z.string().optional(),
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(z.looseObject({ name: z.string(), dtype: z.string(), shape: z.array(z.int().nonnegative()) })),
    }),
  ),
});

/**
 * Reads a folder with a `model.json` for TensorFlow.js. If it is a checkpoint, every byte of it is checked first.
 *
 * @throws {CkptError} What is wrong with a checkpoint: DIGEST_MISMATCH, SIZE_MISMATCH, ...; FILE_MISSING; UNSAFE_PATH
 *   for weights outside the folder; MODEL_UNREADABLE when `model.json` is none, or the weights are of another size than
 *   it says, or the model was written by hand and has no topology.
 */
export async function readModelFolder(folder: string): Promise<tf.io.ModelArtifacts> {
  const listed = await verifyCheckpoint(folder);
  const path = join(folder, modelFileName);
  const modelJson = parseModelJson(new TextDecoder().decode(await readInside(folder, modelFileName)), path);
  return tf.io.getModelArtifactsForJSON(modelJson, async (manifest) => {
    const specs = manifest.flatMap(({ weights }) => weights);
    const shards: ArrayBuffer[] = [];
    for (const shard of manifest.flatMap(({ paths }) => paths)) {
      // Browsers put `./` in front of the names.
      const file = shard.replace(/^\.\//, "");
      const bytes = await readInside(folder, file);
      if (listed?.includes(file) === false) throw unreadable(path, `${manifestNames.checkpoint} does not list ${file}`);
      shards.push(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    }
    const { buffer } = joinWeightData(shards);
    const sizeBytes = sizeWeights(specs);
    if (buffer.byteLength !== sizeBytes) {
      throw unreadable(path, `its weights need ${sizeBytes} bytes, the files have ${buffer.byteLength}`);
    }
    return [specs, buffer];
  });
}

/** The names of a checkpoint's files, all of them checked; `undefined` where the folder is no checkpoint. */
async function verifyCheckpoint(folder: string): Promise<readonly string[] | undefined> {
  try {
    const { files } = await readDocument(checkpointManifestType, join(folder, manifestNames.checkpoint));
    const [problem] = await verifyFiles(folder, files);
    if (problem !== undefined) throw problem;
    return files.map(({ path }) => path);
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return undefined;
    throw error;
  }
}

function parseModelJson(text: string, path: string): tf.io.ModelJSON {
  const { format, modelTopology, ...rest } = parseText(text, path);
  if (format === "variables") {
    const reason =
      "a model written by hand: its variables are stored here, the function that predicts with them is not";
    const remedy = "Put its weights back with createVariablesState, or read them with tf.io.decodeWeights.";
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy });
  }
  if (modelTopology === undefined) throw unreadable(path, "there is no modelTopology in it");
  // What is not checked here is checked by TensorFlow.js.
  return { format, modelTopology, ...rest } as unknown as tf.io.ModelJSON;
}

function parseText(text: string, path: string): z.infer<typeof modelJsonSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, `not JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = modelJsonSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unreadable(path, `not a TensorFlow.js model: ${z.prettifyError(parsed.error)}`, parsed.error);
}

/** Reads a file by a path that a document names, which must not lead out of the folder, nor through a link. */
async function readInside(folder: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!isInsidePath(file)) throw new CkptError("UNSAFE_PATH", { path: folder, named: file });
  const path = join(folder, ...file.split("/"));
  try {
    const isInside = (await realpath(path)).startsWith((await realpath(folder)) + sep);
    if (!isInside) throw new CkptError("UNSAFE_PATH", { path: folder, named: file });
    return await readFile(path);
  } catch (cause) {
    if (isCkptError(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw code === "ENOENT" || code === "ENOTDIR"
      ? new CkptError("FILE_MISSING", { path }, { cause })
      : new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
}

function unreadable(path: string, reason: string, cause?: unknown): CkptError {
  const remedy = "Save the model again, or restore its files from a copy.";
  return new CkptError("MODEL_UNREADABLE", { path, reason, remedy }, { cause });
}
