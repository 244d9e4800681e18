import { hasControlFlow, type Signature } from "@ckpt/manifest";
import type { io } from "@tensorflow/tfjs";

import type { NamedTensors } from "../engine.js";
import { readGraphModel } from "./read-graph-model.js";
import { readOutputs, type Tfjs, toTensors } from "./tfjs-tensors.js";

/** A GraphModel in the TensorFlow.js of this thread. */
export interface OpenGraphModel {
  /** Gives all outputs of the signature by name. */
  predict(inputs: NamedTensors): Promise<NamedTensors>;
  dispose(): void;
}

/**
 * Loads a GraphModel from its `model.json`.
 *
 * @throws {CkptError} UNSAFE_PATH; what TensorFlow.js throws.
 */
export async function openGraphModel(tf: Tfjs, path: string, signature: Signature): Promise<OpenGraphModel> {
  const { model: json, weightData } = await readGraphModel(path);
  const handler: io.IOHandler = {
    load: () =>
      tf.io.getModelArtifactsForJSON(json, (groups) => Promise.resolve([tf.io.getWeightSpecs(groups), weightData])),
  };
  const model = await tf.loadGraphModel(handler);
  // Such a model runs by `executeAsync` alone.
  const isAsync = hasControlFlow(json.modelTopology);
  const outputNames = signature.outputs.map((spec) => spec.name);
  return {
    predict: async (inputs) => {
      const tensors = toTensors(tf, signature, inputs);
      try {
        const outputs = isAsync ? await model.executeAsync(tensors, outputNames) : model.execute(tensors, outputNames);
        const named = [outputs].flat().map((tensor, index) => [outputNames[index] ?? "", tensor] as const);
        return await readOutputs(Object.fromEntries(named));
      } finally {
        tf.dispose(tensors);
      }
    },
    dispose: () => {
      model.dispose();
    },
  };
}
