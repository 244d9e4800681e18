import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { bindSignature, convertGraphDefToGraphModel, type Graph, parseGraphDef, parseSavedModel } from "@ckpt/graph";
import { type ArtifactFormat, formatPaths, isCkptError, type Signature } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import { savedModelFile } from "../emit-formats.js";
import type { UnverifiedFormat } from "../freeze-options.js";
import { joinShards } from "../model-files.js";
import { createOnnxRunner, loadOnnxRuntime } from "./onnx-runner.js";
import type { Runner } from "./runner.js";
import { createGraphModelRunner } from "./tfjs-runner.js";

/** A format on disk, and what is needed to run it. */
export interface OpenFormatOptions {
  /** The folder that holds the formats. */
  readonly folder: string;
  readonly signature: Signature;
  /** What was emitted: a `.pb` does not say what its inputs and outputs are. */
  readonly graph: Graph;
}

/**
 * Makes a format runnable from the files as they were written. ONNX runs in onnxruntime-node; where that is not
 * installed, the answer says so. The others run in TensorFlow.js: the `.pb` and the SavedModel by decoding their bytes
 * and executing the graph in them, operation by operation.
 */
export function openFormat(format: ArtifactFormat, options: OpenFormatOptions): Promise<Runner | UnverifiedFormat> {
  return openers[format](join(options.folder, formatPaths[format]), options);
}

const forTensorFlow = { isCorrected: true };

const openers: Readonly<
  Record<ArtifactFormat, (path: string, options: OpenFormatOptions) => Promise<Runner | UnverifiedFormat>>
> = {
  "graph-model": async (path, { signature }) => createGraphModelRunner(await readGraphModel(path), signature),
  "graph-def": async (path, { signature, graph }) => {
    const graphDef = parseGraphDef(await readFile(path), path);
    return createGraphModelRunner(
      convertGraphDefToGraphModel(graphDef, bindSignature(graph)),
      signature,
      forTensorFlow,
    );
  },
  "saved-model": async (path) => {
    const file = join(path, savedModelFile);
    const { graphDef, signature } = parseSavedModel(await readFile(file), file);
    return createGraphModelRunner(convertGraphDefToGraphModel(graphDef, signature), signature, forTensorFlow);
  },
  onnx: async (path, { signature }) => {
    try {
      return await createOnnxRunner(await loadOnnxRuntime(), await readFile(path), signature);
    } catch (error) {
      if (!isCkptError(error, "ENGINE_UNAVAILABLE")) throw error;
      return { format: "onnx", reason: error.message };
    }
  },
};

async function readGraphModel(path: string): Promise<tf.io.ModelArtifacts> {
  const json = JSON.parse(await readFile(path, "utf8")) as tf.io.ModelJSON;
  return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
    const shards: Uint8Array[] = [];
    for (const file of manifest.flatMap(({ paths }) => paths)) shards.push(await readFile(join(dirname(path), file)));
    return [tf.io.getWeightSpecs(manifest), joinShards(shards).buffer];
  });
}
