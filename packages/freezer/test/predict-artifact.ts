import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { artifactManifestType, formatPaths, manifestNames, readDocument } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

/** Runs the GraphModel of an artifact as any program would: `predict`, by positions. */
export async function predictArtifact(
  artifact: string,
  inputs: readonly tf.Tensor[],
): Promise<readonly Float32Array[]> {
  const { signature } = await readDocument(artifactManifestType, join(artifact, manifestNames.artifact));
  const model = await loadGraphModel(join(artifact, formatPaths["graph-model"]));
  const named = Object.fromEntries(signature.inputs.map(({ name }, index) => [name, inputs[index] as tf.Tensor]));
  const outputs = model.execute(
    named,
    signature.outputs.map(({ name }) => name),
  );
  const values = (Array.isArray(outputs) ? outputs : [outputs]).map((output) => output.dataSync() as Float32Array);
  model.dispose();
  return values;
}

/** Loads a GraphModel from its `model.json`. */
export async function loadGraphModel(path: string): Promise<tf.GraphModel> {
  const json = JSON.parse(await readFile(path, "utf8")) as tf.io.ModelJSON;
  const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => {
    const shards = await Promise.all(
      manifest.flatMap(({ paths }) => paths).map((file) => readFile(join(dirname(path), file))),
    );
    return [tf.io.getWeightSpecs(manifest), new Uint8Array(Buffer.concat(shards)).buffer];
  });
  return tf.loadGraphModel(tf.io.fromMemory(artifacts));
}
