import { join } from "node:path";

import { formatPaths, type Signature } from "@ckpt/manifest";
import type { NamedTensorMap } from "@tensorflow/tfjs";
import type * as tfjsNode from "@tensorflow/tfjs-node";

import type { InferenceEngine, NamedTensors, Session } from "../engine.js";
import { importPackage, wrapFailure } from "./failure.js";
import { readOutputs, toTensors } from "./tfjs-tensors.js";
import { timeCalls } from "./time-calls.js";

const name = "tfjs-node";

type TfjsNode = typeof tfjsNode;
type SavedModel = Awaited<ReturnType<TfjsNode["node"]["loadSavedModel"]>>;

/**
 * The engine for SavedModels: TensorFlow itself, through tfjs-node.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when `@tensorflow/tfjs-node` or its native addon does not load.
 */
export async function loadTfjsNodeEngine(): Promise<InferenceEngine> {
  const tf = await importPackage(name, "@tensorflow/tfjs-node", () => import("@tensorflow/tfjs-node"));
  return {
    name,
    version: tf.version["tfjs-node"],
    format: "saved-model",
    hasThreads: false,
    isBatchInvariant: false,
    open: (artifact, signature) => wrapFailure(name, artifact, openSession(tf, artifact, signature)),
  };
}

async function openSession(tf: TfjsNode, artifact: string, signature: Signature): Promise<Session> {
  const path = join(artifact, formatPaths["saved-model"]);
  // tfjs-node refuses to load a SavedModel while another backend is the current one.
  if (tf.getBackend() !== "tensorflow") await tf.setBackend("tensorflow");
  const model = await tf.node.loadSavedModel(path, ["serve"], "serving_default");
  return {
    predict: (inputs) => wrapFailure(name, artifact, predict(tf, model, signature, inputs)),
    time: (inputs, count) =>
      wrapFailure(
        name,
        artifact,
        timeCalls(count, () => predict(tf, model, signature, inputs)),
      ),
    isLost: () => false,
    close: () => {
      model.dispose();
      return Promise.resolve();
    },
  };
}

async function predict(
  tf: TfjsNode,
  model: SavedModel,
  signature: Signature,
  inputs: NamedTensors,
): Promise<NamedTensors> {
  // Inputs given by name make tfjs-node give the outputs by name, whatever their number.
  const outputs = tf.tidy(() => model.predict(toTensors(tf, signature, inputs)));
  return readOutputs(outputs as NamedTensorMap);
}
