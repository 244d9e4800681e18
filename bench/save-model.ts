import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";

/** Writes the two files that `tf.loadLayersModel` reads into a new folder: topology, and weights with the optimizer's. */
export function saveModel(model: tf.LayersModel, folder: string): Promise<unknown> {
  const handler = tf.io.withSaveHandler(async ({ weightData, weightSpecs = [], ...artifacts }) => {
    const weights = tf.io.CompositeArrayBuffer.join(weightData);
    const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
    await mkdir(folder);
    await writeFile(join(folder, "model.json"), JSON.stringify({ ...artifacts, weightsManifest }));
    await writeFile(join(folder, "weights.bin"), new Uint8Array(weights));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  });
  return model.save(handler, { includeOptimizer: true });
}
