import { tf } from "#tfjs";

import { describeCell } from "./describe-cell.js";
import { recordScan } from "./record-scan.js";
import type { RegionRecorder } from "./region-recorder.js";

/** The keyword arguments that TensorFlow.js calls a layer with; the last is for recurrent ones. */
export interface LayerOptions {
  readonly mask?: tf.Tensor | null;
  readonly training?: boolean | null;
  readonly initialState?: tf.Tensor[] | null;
}

/** The layer's own `call`. */
export type RunLayer = (inputs: tf.Tensor | tf.Tensor[], options: LayerOptions) => tf.Tensor | tf.Tensor[];

type Cell = tf.RNN["cell"];

// Cells keep the dropout masks of a step, all ones at inference, until somebody throws them away. Left in place they would
// have the batch size of another run.
function clearDropoutMasks(cell: Cell): void {
  const cells: unknown = Reflect.get(cell, "cells");
  for (const each of [cell, ...(Array.isArray(cells) ? (cells as Cell[]) : [])]) {
    for (const property of ["dropoutMask", "recurrentDropoutMask"] as const) {
      const mask: unknown = Reflect.get(each, property);
      if (mask === undefined || mask === null) continue;
      tf.dispose(mask as tf.Tensor);
      Reflect.set(each, property, null);
    }
  }
}

/** One step as `RNN` does it: where the mask is 0, states stay, and the first of them is put out again. */
function runStep(
  cell: Cell,
  slices: readonly tf.Tensor[],
  states: readonly tf.Tensor[],
  training: boolean,
): readonly tf.Tensor[] {
  const [x, mask] = slices;
  const [output, ...next] = cell.call([x, ...states] as tf.Tensor[], { training }) as tf.Tensor[];
  if (mask === undefined || output === undefined) return [output, ...next] as tf.Tensor[];
  const kept = tf.sub(tf.onesLike(mask), mask);
  const choose = (found: tf.Tensor, before: tf.Tensor | undefined): tf.Tensor =>
    tf.add(tf.mul(found, mask), tf.mul(before ?? found, kept));
  const chosen = next.map((state, index) => choose(state, states[index]));
  // Most cells put out their first state: then one value goes on as both.
  const chosenOutput = output === next[0] ? chosen[0] : undefined;
  return [chosenOutput ?? choose(output, states[0]), ...chosen];
}

/**
 * Records the call of a recurrent layer as one region: its cell runs on one step of time, the layer itself does not. A
 * stateful layer starts from zeros, as after `resetStates`. A layer whose states change in shape or dtype from step to step
 * is recorded kernel by kernel.
 */
export function recordRecurrent(
  layer: tf.RNN,
  inputs: tf.Tensor | tf.Tensor[],
  options: LayerOptions,
  run: RunLayer,
  recorder: RegionRecorder,
): tf.Tensor | tf.Tensor[] {
  const x = Array.isArray(inputs) ? inputs[0] : inputs;
  if (x === undefined || x.rank < 3) return run(inputs, options);
  return tf.tidy(() => {
    const { cell, goBackwards, returnSequences: returnsSequence } = layer;
    const { mask, training } = options;
    const states = options.initialState ?? layer.getInitialState(x);
    const sequences = [x];
    if (mask !== undefined && mask !== null) {
      const numbers = tf.cast(tf.cast(mask, "bool"), "float32");
      sequences.push(numbers.rank === x.rank - 1 ? tf.expandDims(numbers, -1) : numbers);
    }
    clearDropoutMasks(cell);
    const results = recordScan(
      {
        sequences: goBackwards ? sequences.map((sequence) => tf.reverse(sequence, 1)) : sequences,
        states,
        step: (slices, stepStates) => runStep(cell, slices, stepStates, training ?? false),
        returnsSequence,
        cell: sequences.length === 1 ? describeCell(cell, recorder.findWeight) : null,
      },
      recorder,
    );
    clearDropoutMasks(cell);
    const [output] = results ?? [];
    if (results === undefined || output === undefined) return run(inputs, options);
    return layer.returnState ? [...results] : output;
  });
}
