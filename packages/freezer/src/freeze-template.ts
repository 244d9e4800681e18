import { captureModel, type GraphTemplate } from "@ckpt/graph";
import { CkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { LoadedModel } from "./load-model.js";

/** A captured topology with the model it was captured from, which lends itself to every further set of weights. */
export interface FreezeTemplate {
  readonly topologyDigest: string;
  readonly graph: GraphTemplate;
  /** What frozen formats are compared with. Its weights are those of the model loaded or assigned last. */
  readonly model: tf.LayersModel;
}

/**
 * Makes a TensorFlow.js model and captures it. Custom layers have to be registered with
 * `tf.serialization.registerClass` before. The model's tensors stay until {@link disposeTemplate}.
 *
 * @throws {CkptError} MODEL_UNREADABLE when TensorFlow.js cannot make the model, and what `captureModel` throws.
 */
export async function captureTemplate(loaded: LoadedModel): Promise<FreezeTemplate> {
  const { topology, topologyDigest, weightSpecs, weightBytes } = loaded;
  const model = await readable(loaded, () =>
    tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: topology, weightSpecs: [...weightSpecs], weightData: weightBytes.buffer }),
    ),
  );
  try {
    return { topologyDigest, graph: captureModel(model), model };
  } catch (error) {
    disposeModel(model);
    throw error;
  }
}

/**
 * Gives the template's model the weights of another model of the same topology, by TensorFlow.js's own way of loading
 * them: so what the formats are compared with does not rest on how the freezer reads weights.
 *
 * @throws {CkptError} MODEL_UNREADABLE when the weights are not those of this topology.
 */
export async function assignWeights({ model }: FreezeTemplate, loaded: LoadedModel): Promise<void> {
  const tensors = tf.io.decodeWeights(loaded.weightBytes.buffer, [...loaded.weightSpecs]);
  const own = Object.fromEntries(Object.entries(tensors).filter(([name]) => loaded.weights.has(name)));
  try {
    await readable(loaded, () => model.loadWeights(own));
  } finally {
    tf.dispose(tensors);
  }
}

/** Frees the tensors of the template's model. */
export function disposeTemplate({ model }: FreezeTemplate): void {
  disposeModel(model);
}

// A layer that was called more than once, or in a model in the model, outlives the model that is disposed of.
function disposeModel(model: tf.LayersModel): void {
  const weights = model.weights.map((weight) => weight.read());
  model.dispose();
  tf.dispose(weights);
}

async function readable<Result>({ source }: LoadedModel, action: () => Result): Promise<Awaited<Result>> {
  try {
    return await action();
  } catch (cause) {
    const remedy = "Register custom layers with tf.serialization.registerClass before; save the model again otherwise.";
    throw new CkptError(
      "MODEL_UNREADABLE",
      { path: source.path, reason: `TensorFlow.js cannot load it: ${(cause as Error).message}`, remedy },
      { cause },
    );
  }
}
