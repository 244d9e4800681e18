import { tf } from "#tfjs";

import type { RegionRecorder } from "./region-recorder.js";
import { type ScanAttributes, scanKernel, type TracedBody, type TracedCell } from "./trace.js";

/** What a layer repeats for each step of time. */
export interface ScanRegion {
  /** `[batch, time, ...]`, all of one length. */
  readonly sequences: readonly tf.Tensor[];
  readonly states: readonly tf.Tensor[];
  /** Takes slices `[batch, ...]` and states; gives the output of the step and the next states. */
  readonly step: (slices: readonly tf.Tensor[], states: readonly tf.Tensor[]) => readonly tf.Tensor[];
  /** Whether all outputs are given, or the last one alone. */
  readonly returnsSequence: boolean;
  readonly cell: TracedCell | null;
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
 * Records a region as one call: its step is traced once. Gives the output and the last states, with the shapes that they
 * have but the values of one step; `undefined`, and nothing is recorded, where states change in shape or dtype from step
 * to step.
 */
export function recordScan(region: ScanRegion, recorder: RegionRecorder): readonly tf.Tensor[] | undefined {
  const { sequences, states, step, returnsSequence, cell } = region;
  const slices = recorder.suspend(() => sequences.map(firstSlice));
  const stepStates = recorder.suspend(() => states.map(copy));
  const body = recorder.recordBody([...slices, ...stepStates], () => step(slices, stepStates));
  const [output, ...next] = body.results;
  if (output === undefined || !isSteady(body, states)) return undefined;

  const stepCount = sequences[0]?.shape[1] ?? 1;
  const results = recorder.suspend(() => [
    returnsSequence ? repeat(output, stepCount) : tf.clone(output),
    ...next.map((state) => tf.clone(state)),
  ]);
  const attributes: ScanAttributes = {
    sequenceCount: sequences.length,
    stateCount: states.length,
    returnsSequence,
    cell,
  };
  recorder.addCall({
    kernel: scanKernel,
    attributes: { ...attributes },
    inputs: [...sequences, ...states, ...body.captured],
    results,
    body,
  });
  return results;
}
