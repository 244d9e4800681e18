import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bindSignature, emitSavedModel, parseGraphDef, servingSignatureKey } from "@ckpt/graph";
import { type ArtifactFormat, formatPaths, type Signature, type TensorData } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { savedModelFile } from "../emit-formats.js";
import type { OpenFormatOptions } from "./open-format.js";
import type { FormatRunner } from "./runner.js";

/** What parity records call TensorFlow itself, which tfjs-node runs a SavedModel in. */
export const tfjsNodeEngine = "tfjs-node";

const backend = "tensorflow";

/**
 * Opens the SavedModel in TensorFlow itself; for the `.pb`, a SavedModel around the very graph that its bytes hold.
 * `undefined` for other formats, and where tfjs-node is not loaded in this process: its backend is registered where it
 * is, and to load it only for this would take longer than all the rest.
 */
export async function openSavedModelNatively(
  format: ArtifactFormat,
  options: OpenFormatOptions,
): Promise<FormatRunner | undefined> {
  if (tf.findBackendFactory(backend) === null) return undefined;
  const path = join(options.folder, formatPaths[format]);
  if (format === "saved-model") return createRunner(path, options);
  return format === "graph-def" ? openTwin(path, options) : undefined;
}

/** TensorFlow reads the files while it loads, so the twin need not outlive that. */
async function openTwin(path: string, options: OpenFormatOptions): Promise<FormatRunner> {
  const bytes = emitSavedModel(parseGraphDef(await readFile(path), path), {
    [servingSignatureKey]: bindSignature(options.graph),
  });
  const folder = await mkdtemp(join(tmpdir(), "ckpt-saved-model-"));
  try {
    await writeFile(join(folder, savedModelFile), bytes);
    return await createRunner(folder, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function createRunner(
  folder: string,
  { signature, graph, signatureKey = servingSignatureKey }: OpenFormatOptions,
): Promise<FormatRunner> {
  const { node } = await import("@tensorflow/tfjs-node");
  const model = await onBackend(() => node.loadSavedModel(folder, ["serve"], signatureKey));
  return {
    engine: tfjsNodeEngine,
    graph,
    run: (inputs) => onBackend(() => predict(model, signature, inputs)),
    dispose: async () => {
      model.dispose();
    },
  };
}

/** A SavedModel is loaded and run only while the backend of tfjs-node is the current one. */
async function onBackend<Result>(action: () => Promise<Result>): Promise<Result> {
  const former = tf.getBackend();
  if (former === backend) return action();
  await tf.setBackend(backend);
  try {
    return await action();
  } finally {
    await tf.setBackend(former);
  }
}

async function predict(
  model: tf.InferenceModel,
  { inputs: specs, outputs }: Signature,
  inputs: readonly TensorData[],
): Promise<readonly TensorData[]> {
  const named = tf.tidy(() => {
    const feeds = specs.flatMap(({ name, dtype }, index) => {
      const input = inputs[index];
      return input === undefined ? [] : [[name, tf.tensor(input.data, [...input.shape], dtype)] as const];
    });
    // Inputs given by name make tfjs-node give the outputs by name.
    return model.predict(Object.fromEntries(feeds), {}) as tf.NamedTensorMap;
  });
  const values: TensorData[] = [];
  for (const { name } of outputs) {
    const tensor = named[name];
    if (tensor !== undefined) values.push({ data: await tensor.data(), shape: tensor.shape });
  }
  tf.dispose(named);
  return values;
}
