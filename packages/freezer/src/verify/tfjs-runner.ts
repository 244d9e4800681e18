import { correctKernels, type Graph, runLayers } from "@ckpt/graph";
import { hasControlFlow, type Signature, type TensorData } from "@ckpt/manifest";

import { tf } from "#tfjs";

import type { FormatRunner, NodeValue, ReferenceRunner } from "./runner.js";

/** What parity records call TensorFlow.js, which executes all but ONNX operation by operation. */
export const tfjsEngine = "tfjs";

/**
 * Runs a LayersModel on the current TensorFlow.js backend, kernels that are wrong there replaced by right ones, a stateful
 * model from zeros each time. The model stays its owner's.
 */
export function createLayersModelRunner(model: tf.LayersModel): ReferenceRunner {
  const reset = (): void => {
    if (model.stateful) model.resetStates();
  };
  return {
    run: (inputs) =>
      compute(inputs, (tensors) => {
        reset();
        return correctKernels(() => model.predict([...tensors], { batchSize: tensors[0]?.shape[0] ?? 1 }));
      }),
    runLayers: async (inputs) => {
      const tensors = toTensors(inputs);
      reset();
      const calls = correctKernels(() => runLayers(model, tensors));
      tf.dispose(tensors);
      const layers = [];
      for (const { layer, outputs } of calls) layers.push({ layer, outputs: await readAll(outputs) });
      return layers;
    },
  };
}

/** Runs a function on tensors on the current TensorFlow.js backend. What it gives may be its caller's own tensors. */
export function createFunctionRunner(run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[]): ReferenceRunner {
  return {
    run: (inputs) =>
      compute(inputs, (tensors) =>
        tf.tidy(() => {
          const outputs = correctKernels(() => run(...tensors));
          return (Array.isArray(outputs) ? outputs : [outputs]).map((output) => output.clone());
        }),
      ),
  };
}

/** Runs a function that may wait in between on the current TensorFlow.js backend. What it gives is disposed of. */
export function createLaterRunner(run: (...inputs: tf.Tensor[]) => Promise<tf.Tensor[]>): ReferenceRunner {
  return {
    run: (inputs) => compute(inputs, (tensors) => run(...tensors)),
  };
}

/** How a GraphModel is run. */
export interface GraphModelRunnerOptions {
  /** Replaces kernels that are wrong: for a graph that TensorFlow is to run, not TensorFlow.js. Default: false. */
  readonly isCorrected?: boolean;
}

/**
 * Loads a GraphModel and runs it on the current TensorFlow.js backend, by the names of its signature. One with loops cannot
 * be looked into.
 *
 * @param graph - What it was emitted from, with the nodes that a GraphDef has.
 */
export async function createGraphModelRunner(
  artifacts: tf.io.ModelArtifacts,
  signature: Signature,
  graph: Graph,
  { isCorrected = false }: GraphModelRunnerOptions = {},
): Promise<FormatRunner> {
  const { modelTopology } = artifacts;
  const model = await loadGraphModel(artifacts);
  const isAsync = hasControlFlow(modelTopology);
  const execute = (inputs: readonly TensorData[], names: readonly string[]): Promise<readonly TensorData[]> =>
    compute(inputs, (tensors) => {
      const feeds = Object.fromEntries(
        tensors.map((tensor, index) => [signature.inputs[index]?.name ?? "", tensor] as const),
      );
      // The engine cannot be changed for the time of something that goes on beside others.
      if (isAsync) return model.executeAsync(feeds, [...names]);
      const run = (): tf.Tensor | tf.Tensor[] => model.execute(feeds, [...names]);
      return isCorrected ? correctKernels(run) : run();
    });
  const runValues = async (inputs: readonly TensorData[]): Promise<readonly NodeValue[]> => {
    const values = listValues(graph, modelTopology);
    const tensors = await execute(
      inputs,
      values.map(({ node, output }) => `${node}:${output}`),
    );
    return values.flatMap((value, index): NodeValue[] => {
      const tensor = tensors[index];
      return tensor === undefined ? [] : [{ ...value, tensor }];
    });
  };
  return {
    engine: tfjsEngine,
    graph,
    run: (inputs) =>
      execute(
        inputs,
        signature.outputs.map(({ name }) => name),
      ),
    ...(isAsync ? {} : { runValues }),
    dispose: async () => model.dispose(),
  };
}

/** A GraphModel keeps what it was loaded from, but has its weights in tensors then: their bytes are taken out of it. */
async function loadGraphModel(artifacts: tf.io.ModelArtifacts): Promise<tf.GraphModel> {
  const loaded = { ...artifacts };
  const model = await tf.loadGraphModel({ load: async () => loaded });
  delete loaded.weightData;
  return model;
}

/** The values of the graph that are computed in a GraphModel, too: it has its own nodes for what it fuses. */
function listValues(graph: Graph, topology: unknown): { node: string; output: number }[] {
  const { node: nodes = [] } = topology as { node?: readonly { name: string; op: string }[] };
  const computed = new Set(nodes.filter(({ op }) => op !== "Const" && op !== "Placeholder").map(({ name }) => name));
  return graph.nodes
    .filter(({ name }) => computed.has(name))
    .flatMap(({ name, outputs }) => outputs.map((_, output) => ({ node: name, output })));
}

type Run = (tensors: readonly tf.Tensor[]) => tf.Tensor | tf.Tensor[] | Promise<tf.Tensor | tf.Tensor[]>;

async function compute(inputs: readonly TensorData[], run: Run): Promise<readonly TensorData[]> {
  const tensors = toTensors(inputs);
  try {
    const result = await run(tensors);
    return await readAll(Array.isArray(result) ? result : [result]);
  } finally {
    tf.dispose(tensors);
  }
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
