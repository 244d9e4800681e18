import { CkptError } from "@ckpt/manifest";

import { loadModel } from "./load-model.js";
import { readSource } from "./read-source.js";
import type { SavedWeight } from "./saved-weights.js";
import { isTensorFlowSource } from "./source.js";

/**
 * Reads the weights of a checkpoint folder or a `model.json`, by the names that they are saved under, without making a
 * model. For a model written by hand this is what a template of its predict function is bound to.
 *
 * @throws {CkptError} what `readSource` throws; INVALID_OPTION for a run and for what TensorFlow wrote; FILE_MISSING,
 *   SIZE_MISMATCH and DIGEST_MISMATCH for a damaged file; UNSUPPORTED_DTYPE.
 */
export async function readWeights(path: string): Promise<ReadonlyMap<string, SavedWeight>> {
  const source = await readSource(path);
  if (source.kind === "run" || source.kind === "tensorflow-folder" || isTensorFlowSource(source)) {
    throw new CkptError("INVALID_OPTION", {
      option: "path",
      expected: "one checkpoint or model of TensorFlow.js",
      found: `${source.kind}: ${path}`,
    });
  }
  return (await loadModel(source)).weights;
}
