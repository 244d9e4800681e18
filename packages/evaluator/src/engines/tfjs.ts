import { join } from "node:path";

import { formatPaths, hasControlFlow, type Signature } from "@ckpt/manifest";
import type { GraphModel, io } from "@tensorflow/tfjs";

import type { InferenceEngine, NamedTensors, Session } from "../engine.js";
import { importPackage, wrapFailure } from "./failure.js";
import { readGraphModel } from "./read-graph-model.js";
import { readOutputs, type Tfjs, toTensors } from "./tfjs-tensors.js";
import { timeCalls } from "./time-calls.js";

const name = "tfjs";

/**
 * The engine for GraphModels, on TensorFlow.js's current backend, which is part of the version: backends differ in the
 * last bits. It runs in the caller's thread, one batch at a time.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when `@tensorflow/tfjs` does not load.
 */
export async function loadTfjsEngine(): Promise<InferenceEngine> {
  const tf = await importPackage(name, "@tensorflow/tfjs", () => import("@tensorflow/tfjs"));
  await tf.ready();
  return {
    name,
    version: `${tf.version.tfjs}+${tf.getBackend()}`,
    format: "graph-model",
    hasThreads: false,
    isBatchInvariant: false,
    open: (artifact, signature) => wrapFailure(name, artifact, openSession(tf, artifact, signature)),
  };
}

async function openSession(tf: Tfjs, artifact: string, signature: Signature): Promise<Session> {
  const { model: json, weightData } = await readGraphModel(join(artifact, formatPaths["graph-model"]));
  const handler: io.IOHandler = {
    load: () =>
      tf.io.getModelArtifactsForJSON(json, (groups) => Promise.resolve([tf.io.getWeightSpecs(groups), weightData])),
  };
  const model = await tf.loadGraphModel(handler);
  const isAsync = hasControlFlow(json.modelTopology);
  return {
    predict: (inputs) => wrapFailure(name, artifact, predict(tf, { model, isAsync }, signature, inputs)),
    time: (inputs, count) =>
      wrapFailure(
        name,
        artifact,
        timeCalls(count, () => predict(tf, { model, isAsync }, signature, inputs)),
      ),
    isLost: () => false,
    close: () => {
      model.dispose();
      return Promise.resolve();
    },
  };
}

/** A model, and whether it runs by `executeAsync` alone. */
interface LoadedModel {
  readonly model: GraphModel;
  readonly isAsync: boolean;
}

async function predict(
  tf: Tfjs,
  { model, isAsync }: LoadedModel,
  signature: Signature,
  inputs: NamedTensors,
): Promise<NamedTensors> {
  const outputNames = signature.outputs.map((spec) => spec.name);
  const tensors = toTensors(tf, signature, inputs);
  try {
    const outputs = isAsync ? await model.executeAsync(tensors, outputNames) : model.execute(tensors, outputNames);
    const named = [outputs].flat().map((tensor, index) => [outputNames[index] ?? "", tensor] as const);
    return await readOutputs(Object.fromEntries(named));
  } finally {
    tf.dispose(tensors);
  }
}
