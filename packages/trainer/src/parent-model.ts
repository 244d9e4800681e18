import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CkptError, digestBytes, isCkptError, type Json, serializeCanonicalJson, verifyFiles } from "@ckpt/manifest";

import { checkpointFileNames } from "./checkpoint-files.js";
import type { Checkpoint } from "./checkpoint-store.js";
import { describeTopology } from "./describe-model.js";
import { type ArraySpec, type NamedArray, unpackArrays } from "./named-array.js";
import { readJoined } from "./read-joined.js";

/** The model of a checkpoint, without what only training needs. */
export interface ParentModel {
  /** Everything in `model.json` but the description of the weights. */
  readonly modelJson: Readonly<Record<string, Json>>;
  /** SHA-256 over the topology, whatever its layers are called. */
  readonly topologyDigest: string;
  readonly weights: readonly NamedArray[];
}

/**
 * Reads the model of a checkpoint, after checking every byte of the folder.
 *
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH, UNSAFE_PATH or FILE_SYSTEM, naming the file;
 *   MODEL_UNREADABLE when it is no LayersModel.
 */
export async function readParentModel({ path, manifest }: Checkpoint): Promise<ParentModel> {
  const [problem] = await verifyFiles(path, manifest.files);
  if (problem !== undefined) throw problem;
  try {
    const { weightsManifest, ...modelJson } = JSON.parse(
      await readFile(join(path, checkpointFileNames.model), "utf8"),
    ) as StoredModel;
    const stored = weightsManifest.flatMap(({ weights }) => weights);
    const specs = stored
      .filter(({ group }) => group !== "optimizer")
      .map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    const topology = describeTopology(modelJson["modelTopology"] ?? null);
    return {
      modelJson,
      topologyDigest: digestBytes(serializeCanonicalJson(topology)),
      weights: unpackArrays(
        await readJoined(weightsManifest.flatMap(({ paths }) => paths.map((file) => join(path, file)))),
        specs,
      ),
    };
  } catch (cause) {
    if (isCkptError(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    // Retention may prune it in between.
    if (code === "ENOENT") throw new CkptError("FILE_MISSING", { path }, { cause });
    const remedy = "Average checkpoints of a LayersModel only.";
    throw new CkptError("MODEL_UNREADABLE", { path, reason: message, remedy }, { cause });
  }
}

type StoredModel = Readonly<Record<string, Json>> & {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly (ArraySpec & { readonly group?: string })[];
  }[];
};
