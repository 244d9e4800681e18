import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { verifyFiles } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import { checkpointFileNames } from "./checkpoint-files.js";
import { readCheckpoint } from "./checkpoint-store.js";

/** Names no optimizer and no loss: a model for inference needs neither. */
type ModelJson = Pick<tf.io.ModelJSON, "modelTopology" | "weightsManifest">;

/**
 * Loads the model of a checkpoint for inference, after checking every byte of it. It is not compiled; to go on with
 * training, open the run with `isResuming`.
 *
 * @param path - The checkpoint's folder.
 * @throws {CkptError} What is wrong with the folder: MANIFEST_MISSING, DIGEST_MISMATCH, ...
 */
export async function loadCheckpointModel(path: string): Promise<tf.LayersModel> {
  const { manifest } = await readCheckpoint(path);
  const [problem] = await verifyFiles(path, manifest.files);
  if (problem !== undefined) throw problem;
  const { modelTopology, weightsManifest } = JSON.parse(
    await readFile(join(path, checkpointFileNames.model), "utf8"),
  ) as ModelJson;
  const weights = await readFile(join(path, checkpointFileNames.weights));
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology,
      // The optimizer's slots, where they are stored there too, come after the weights.
      weightSpecs: weightsManifest.flatMap(({ weights: specs }) => specs).filter(({ group }) => group !== "optimizer"),
      weightData: Uint8Array.from(weights).buffer,
    }),
  );
}
