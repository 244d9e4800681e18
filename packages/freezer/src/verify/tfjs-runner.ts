import { type Graph, runLayers } from "@ckpt/graph";
import type { Signature, TensorData } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { FormatRunner, NodeValue, ReferenceRunner } from "./runner.js";

/** What parity records call TensorFlow.js, which executes all but ONNX operation by operation. */
export const tfjsEngine = "tfjs";

/** Runs a LayersModel on the current TensorFlow.js backend. The model stays its owner's. */
export function createLayersModelRunner(model: tf.LayersModel): ReferenceRunner {
  return {
    engine: tfjsEngine,
    run: (inputs) =>
      compute(inputs, (tensors) => model.predict([...tensors], { batchSize: tensors[0]?.shape[0] ?? 1 })),
    runLayers: async (inputs) => {
      const tensors = toTensors(inputs);
      const calls = runLayers(model, tensors);
      tf.dispose(tensors);
      const layers = [];
      for (const { layer, outputs } of calls) layers.push({ layer, outputs: await readAll(outputs) });
      return layers;
    },
    dispose: async () => {},
  };
}

/**
 * Loads a GraphModel and runs it on the current TensorFlow.js backend, by the names of its signature.
 *
 * @param graph - What it was emitted from.
 */
export async function createGraphModelRunner(
  artifacts: tf.io.ModelArtifacts,
  signature: Signature,
  graph: Graph,
): Promise<FormatRunner> {
  const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
  const execute = (inputs: readonly TensorData[], names: readonly string[]): Promise<readonly TensorData[]> =>
    compute(inputs, (tensors) => {
      const named = tensors.map((tensor, index) => [signature.inputs[index]?.name ?? "", tensor] as const);
      return model.execute(Object.fromEntries(named), [...names]);
    });
  return {
    engine: tfjsEngine,
    run: (inputs) =>
      execute(
        inputs,
        signature.outputs.map(({ name }) => name),
      ),
    runValues: async (inputs) => {
      const values = listValues(graph, artifacts.modelTopology);
      const tensors = await execute(
        inputs,
        values.map(({ node, output }) => `${node}:${output}`),
      );
      return values.flatMap((value, index): NodeValue[] => {
        const tensor = tensors[index];
        return tensor === undefined ? [] : [{ ...value, tensor }];
      });
    },
    dispose: async () => model.dispose(),
  };
}

/** The values of the graph that are computed in a GraphModel, too: it has its own nodes for what it fuses. */
function listValues(graph: Graph, topology: unknown): { node: string; output: number }[] {
  const { node: nodes = [] } = topology as { node?: readonly { name: string; op: string }[] };
  const computed = new Set(nodes.filter(({ op }) => op !== "Const" && op !== "Placeholder").map(({ name }) => name));
  return graph.nodes
    .filter(({ name }) => computed.has(name))
    .flatMap(({ name, outputs }) => outputs.map((_, output) => ({ node: name, output })));
}

async function compute(
  inputs: readonly TensorData[],
  run: (tensors: readonly tf.Tensor[]) => tf.Tensor | tf.Tensor[],
): Promise<readonly TensorData[]> {
  const outputs = tf.tidy(() => {
    const result = run(toTensors(inputs));
    return Array.isArray(result) ? result : [result];
  });
  return readAll(outputs);
}

function toTensors(inputs: readonly TensorData[]): tf.Tensor[] {
  return inputs.map(({ data, shape }) => tf.tensor(data, [...shape], dtypeOf(data)));
}

/** The values of tensors, which are disposed. */
async function readAll(tensors: readonly tf.Tensor[]): Promise<readonly TensorData[]> {
  const values: TensorData[] = [];
  for (const tensor of tensors) values.push({ data: await tensor.data(), shape: tensor.shape });
  tf.dispose([...tensors]);
  return values;
}

function dtypeOf(data: TensorData["data"]): "float32" | "int32" | "bool" {
  if (data instanceof Float32Array) return "float32";
  return data instanceof Int32Array ? "int32" : "bool";
}
