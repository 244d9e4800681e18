import { tf } from "#tfjs";

import type { LayerPlace } from "./layer-tree.js";

/** The states of a recurrent layer as TensorFlow.js holds them: none before the first call. */
type States = tf.Tensor[] | null;

/**
 * Runs a computation with the states of all stateful layers at zero, and puts those back that they had: a model that is
 * being used does not lose its place in a sequence.
 */
export function withFreshStates<Result>(places: readonly LayerPlace[], run: () => Result): Result {
  const layers = places.flatMap(({ layer }) => (layer instanceof tf.RNN && layer.stateful ? [layer] : []));
  const own = layers.map(readStates);
  try {
    for (const layer of layers) {
      // What there is would be disposed of.
      writeStates(layer, null);
      layer.resetStates();
    }
    return run();
  } finally {
    for (const [index, layer] of layers.entries()) {
      tf.dispose(readStates(layer) ?? []);
      writeStates(layer, own[index] ?? null);
    }
  }
}

function readStates(layer: tf.RNN): States {
  return Reflect.get(layer, "states_") as States;
}

function writeStates(layer: tf.RNN, states: States): void {
  Reflect.set(layer, "states_", states);
}
