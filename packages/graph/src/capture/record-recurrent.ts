import * as tf from "@tensorflow/tfjs";

import { describeCell } from "./describe-cell.js";
import type { RegionRecorder } from "./region-recorder.js";
import { scanKernel, type TracedBody } from "./trace.js";

/** The keyword arguments that TensorFlow.js calls a recurrent layer with. */
export interface RecurrentOptions {
  readonly mask?: tf.Tensor | null;
  readonly training?: boolean | null;
  readonly initialState?: tf.Tensor[] | null;
}

/** The layer's own `call`. */
export type CallRecurrent = (inputs: tf.Tensor | tf.Tensor[], options: RecurrentOptions) => tf.Tensor | tf.Tensor[];

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

function firstSlice(sequence: tf.Tensor): tf.Tensor {
  const [batch, , ...rest] = sequence.shape;
  const slice = tf.slice(
    sequence,
    sequence.shape.map(() => 0),
    [-1, 1, ...rest],
  );
  return tf.reshape(slice, [batch ?? 0, ...rest]);
}

// In a buffer of its own, and a tensor of its own where two states start as one.
function copy(tensor: tf.Tensor): tf.Tensor {
  return tf.slice(
    tensor,
    tensor.shape.map(() => 0),
  );
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

function isSteady({ outputs }: TracedBody, states: readonly tf.Tensor[]): boolean {
  const next = outputs.slice(1);
  return (
    next.length === states.length &&
    states.every(({ dtype, shape }, index) => {
      const found = next[index];
      return found !== undefined && found.dtype === dtype && tf.util.arraysEqual([...found.shape], shape);
    })
  );
}

/** A step's output as the output of so many steps, `[batch, time, ...]`. */
function repeat(output: tf.Tensor, stepCount: number): tf.Tensor {
  const sequence = tf.expandDims(output, 1);
  return tf.tile(
    sequence,
    sequence.shape.map((_, axis) => (axis === 1 ? stepCount : 1)),
  );
}

/**
 * Records the call of a recurrent layer as one region: its cell is traced on one step of time. The layer itself does not
 * run; what it gives here has the shapes of its results and the values of one step. A stateful layer starts from zeros, as
 * after `resetStates`. A layer whose states change in shape or dtype from step to step is recorded kernel by kernel.
 */
export function recordRecurrent(
  layer: tf.RNN,
  inputs: tf.Tensor | tf.Tensor[],
  options: RecurrentOptions,
  call: CallRecurrent,
  recorder: RegionRecorder,
): tf.Tensor | tf.Tensor[] {
  const x = Array.isArray(inputs) ? inputs[0] : inputs;
  if (x === undefined || x.rank < 3) return call(inputs, options);
  return tf.tidy(() => {
    const { mask, training } = options;
    const states = options.initialState ?? layer.getInitialState(x);
    const sequences = [x];
    if (mask !== undefined && mask !== null) {
      const numbers = tf.cast(tf.cast(mask, "bool"), "float32");
      sequences.push(numbers.rank === x.rank - 1 ? tf.expandDims(numbers, -1) : numbers);
    }
    const ordered = layer.goBackwards ? sequences.map((sequence) => tf.reverse(sequence, 1)) : sequences;

    clearDropoutMasks(layer.cell);
    const slices = recorder.suspend(() => ordered.map(firstSlice));
    const stepStates = recorder.suspend(() => states.map(copy));
    const body = recorder.recordBody([...slices, ...stepStates], () =>
      runStep(layer.cell, slices, stepStates, training ?? false),
    );
    clearDropoutMasks(layer.cell);
    const [output, ...next] = body.results;
    if (output === undefined || !isSteady(body, states)) return call(inputs, options);

    const { returnSequences: returnsSequence } = layer;
    const results = recorder.suspend(() => [
      returnsSequence ? repeat(output, x.shape[1] ?? 1) : tf.clone(output),
      ...next.map((state) => tf.clone(state)),
    ]);
    recorder.addCall({
      kernel: scanKernel,
      attributes: {
        sequenceCount: ordered.length,
        stateCount: states.length,
        returnsSequence,
        cell: ordered.length === 1 ? describeCell(layer.cell, recorder.findWeight) : null,
      },
      inputs: [...ordered, ...states, ...body.captured],
      results,
      body,
    });
    const [first = output] = results;
    return layer.returnState ? results : first;
  });
}
