import { tf } from "#tfjs";

import type { LayerOptions, RunLayer } from "./record-recurrent.js";
import { recordScan } from "./record-scan.js";
import type { RegionRecorder } from "./region-recorder.js";

/** A layer of TensorFlow.js that applies another one to each step of time. */
export interface TimeDistributed extends tf.layers.Layer {
  readonly layer: tf.layers.Layer;
}

/** The class of these layers, which TensorFlow.js does not export. */
export function findTimeDistributedClass(): object {
  const layer = tf.layers.activation({ activation: "linear", name: "inner" });
  return Object.getPrototypeOf(tf.layers.timeDistributed({ layer, name: "outer" })) as object;
}

/**
 * Records the call of a layer applied to each step of time as one region without states: the inner layer runs on one step.
 */
export function recordTimeDistributed(
  { layer }: TimeDistributed,
  inputs: tf.Tensor | tf.Tensor[],
  options: LayerOptions,
  run: RunLayer,
  recorder: RegionRecorder,
): tf.Tensor | tf.Tensor[] {
  const x = Array.isArray(inputs) ? inputs[0] : inputs;
  if (x === undefined || x.rank < 3) return run(inputs, options);
  return tf.tidy(() => {
    const step = (slices: readonly tf.Tensor[]): tf.Tensor[] => {
      const output = layer.call([...slices], { ...options });
      return Array.isArray(output) ? output : [output];
    };
    const results = recordScan({ sequences: [x], states: [], step, returnsSequence: true, cell: null }, recorder);
    return results?.[0] ?? run(inputs, options);
  });
}
