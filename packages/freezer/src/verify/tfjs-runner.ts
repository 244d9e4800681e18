import type { Signature, TensorData } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { Runner } from "./runner.js";

/** What parity records call the engine that runs every other format. */
export const tfjsEngine = "tfjs";

/** Runs a LayersModel on the current TensorFlow.js backend. The model stays its owner's. */
export function createLayersModelRunner(model: tf.LayersModel): Runner {
  return createRunner(
    (inputs) => model.predict([...inputs], { batchSize: inputs[0]?.shape[0] ?? 1 }),
    () => {},
  );
}

/**
 * Loads a GraphModel and runs it on the current TensorFlow.js backend, by the names of its signature. Its weights are
 * tensors then, so they are taken out of `artifacts`, which the model keeps.
 */
export async function createGraphModelRunner(artifacts: tf.io.ModelArtifacts, signature: Signature): Promise<Runner> {
  const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
  delete artifacts.weightData;
  const outputNames = signature.outputs.map(({ name }) => name);
  return createRunner(
    (inputs) => {
      const named = Object.fromEntries(inputs.map((input, index) => [signature.inputs[index]?.name ?? "", input]));
      return model.execute(named, outputNames);
    },
    () => model.dispose(),
  );
}

function createRunner(compute: (inputs: readonly tf.Tensor[]) => tf.Tensor | tf.Tensor[], dispose: () => void): Runner {
  return {
    engine: tfjsEngine,
    run: async (inputs) => {
      const outputs = tf.tidy(() => {
        const result = compute(inputs.map(({ data, shape }) => tf.tensor(data, [...shape], dtypeOf(data))));
        return Array.isArray(result) ? result : [result];
      });
      const data: TensorData[] = [];
      for (const output of outputs) data.push({ data: await output.data(), shape: output.shape });
      tf.dispose(outputs);
      return data;
    },
    dispose: async () => dispose(),
  };
}

function dtypeOf(data: TensorData["data"]): "float32" | "int32" | "bool" {
  if (data instanceof Float32Array) return "float32";
  return data instanceof Int32Array ? "int32" : "bool";
}
