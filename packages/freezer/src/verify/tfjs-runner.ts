import { correctKernels } from "@ckpt/graph";
import { hasControlFlow, type Signature, type TensorData } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { Runner } from "./runner.js";

/** What parity records call the engine that runs every other format. */
export const tfjsEngine = "tfjs";

/**
 * Runs a LayersModel on the current TensorFlow.js backend, kernels that are wrong there replaced by right ones, a stateful
 * model from zeros each time. The model stays its owner's.
 */
export function createLayersModelRunner(model: tf.LayersModel): Runner {
  return createRunner(
    (inputs) => {
      if (model.stateful) model.resetStates();
      return correctKernels(() => model.predict([...inputs], { batchSize: inputs[0]?.shape[0] ?? 1 }));
    },
    () => {},
  );
}

/** Runs a function on tensors on the current TensorFlow.js backend. What it gives may be its caller's own tensors. */
export function createFunctionRunner(compute: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[]): Runner {
  return createRunner(
    (inputs) =>
      tf.tidy(() => {
        const outputs = correctKernels(() => compute(...inputs));
        return (Array.isArray(outputs) ? outputs : [outputs]).map((output) => output.clone());
      }),
    () => {},
  );
}

/** How a GraphModel is run. */
export interface GraphModelRunnerOptions {
  /** Replaces kernels that are wrong: for a graph that TensorFlow is to run, not TensorFlow.js. Default: false. */
  readonly isCorrected?: boolean;
}

/**
 * Loads a GraphModel and runs it on the current TensorFlow.js backend, by the names of its signature.
 */
export async function createGraphModelRunner(
  artifacts: tf.io.ModelArtifacts,
  signature: Signature,
  { isCorrected = false }: GraphModelRunnerOptions = {},
): Promise<Runner> {
  const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
  const outputNames = signature.outputs.map(({ name }) => name);
  const isAsync = hasControlFlow(artifacts.modelTopology);
  return createRunner(
    (inputs) => {
      const named = Object.fromEntries(inputs.map((input, index) => [signature.inputs[index]?.name ?? "", input]));
      // The engine cannot be changed for the time of something that goes on beside others.
      if (isAsync) return model.executeAsync(named, outputNames);
      const execute = (): tf.Tensor | tf.Tensor[] => model.execute(named, outputNames);
      return isCorrected ? correctKernels(execute) : execute();
    },
    () => model.dispose(),
  );
}

type Compute = (inputs: readonly tf.Tensor[]) => tf.Tensor | tf.Tensor[] | Promise<tf.Tensor | tf.Tensor[]>;

function createRunner(compute: Compute, dispose: () => void): Runner {
  return {
    engine: tfjsEngine,
    run: async (inputs) => {
      const tensors = inputs.map(({ data, shape }) => tf.tensor(data, [...shape], dtypeOf(data)));
      try {
        const result = await compute(tensors);
        const outputs = Array.isArray(result) ? result : [result];
        const data: TensorData[] = [];
        for (const output of outputs) data.push({ data: await output.data(), shape: output.shape });
        tf.dispose(outputs);
        return data;
      } finally {
        tf.dispose(tensors);
      }
    },
    dispose: async () => dispose(),
  };
}

function dtypeOf(data: TensorData["data"]): "float32" | "int32" | "bool" {
  if (data instanceof Float32Array) return "float32";
  return data instanceof Int32Array ? "int32" : "bool";
}
