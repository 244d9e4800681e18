import { tf } from "#tfjs";

import { readCheckpoint } from "./checkpoint-store.js";
import { readModelFolder } from "./model-folder.js";

/**
 * Loads the model of a checkpoint for inference, after checking every byte of it. It is not compiled; to go on with
 * training, open the run with `isResuming`. Custom layers have to be registered before.
 *
 * @param path - The checkpoint's folder.
 * @throws {CkptError} What is wrong with the folder: MANIFEST_MISSING, DIGEST_MISMATCH, ...; MODEL_UNREADABLE when it
 *   is the checkpoint of a model written by hand.
 */
export async function loadCheckpointModel(path: string): Promise<tf.LayersModel> {
  // A folder that was never committed does not exist, even if a model could be read from it.
  await readCheckpoint(path);
  const { modelTopology, weightSpecs = [], weightData } = await readModelFolder(path);
  return tf.loadLayersModel(
    tf.io.fromMemory({
      ...(modelTopology === undefined ? {} : { modelTopology }),
      // The optimizer's slots, where they are stored there too, come after the weights.
      weightSpecs: weightSpecs.filter(({ group }) => group !== "optimizer"),
      ...(weightData === undefined ? {} : { weightData }),
    }),
  );
}
