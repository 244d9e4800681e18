import { tf } from "#tfjs";

import { enterLayerScope } from "./layer-scope.js";
import { listLayers } from "./layer-tree.js";

/** What one call of a layer gave. The tensors are the receiver's to dispose. */
export interface LayerCall {
  /** Path of the layer, as `Node.layer` has it. */
  readonly layer: string;
  readonly outputs: readonly tf.Tensor[];
}

/**
 * Runs a model in inference and gives what each of its layers gives, call by call in the order they return: so every
 * call stands behind those it takes its inputs from, and a layer that holds others behind these.
 */
export function runLayers(model: tf.LayersModel, inputs: readonly tf.Tensor[]): readonly LayerCall[] {
  const calls: LayerCall[] = [];
  const scope = enterLayerScope(listLayers(model), (layer, result) => {
    const outputs = Array.isArray(result) ? result : [result];
    calls.push({ layer, outputs: outputs.map((tensor) => tf.keep(tensor.clone())) });
  });
  try {
    tf.tidy(() => {
      model.apply([...inputs], { training: false });
    });
    return calls;
  } catch (error) {
    tf.dispose(calls.flatMap(({ outputs }) => outputs));
    throw error;
  } finally {
    scope.restore();
  }
}
