import { CkptError, type TensorSpec } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { CapturedProgram, ProgramWeight } from "./captured-program.js";
import { mergeTraces } from "./merge-traces.js";
import { makeProbeValues } from "./probe-values.js";
import { recordTrace, type TensorFunction } from "./record-trace.js";
import { checkDtype, copyValues } from "./tensor-values.js";
import type { Trace } from "./trace.js";
import { varyChance } from "./vary-chance.js";

/** A weight to be kept by name instead of becoming an anonymous constant. */
export interface NamedWeight {
  readonly key: string;
  readonly savedName: string;
  readonly tensor: tf.Tensor;
}

/** Signature, weights and layer scope of the computation. */
export interface CaptureProgramOptions {
  readonly inputs: readonly TensorSpec[];
  readonly outputNames: readonly string[];
  readonly weights: readonly NamedWeight[];
  readonly currentLayer: () => string;
}

// Two sizes give the line k * B + c; 1 is avoided because it broadcasts.
const batchSizes = [2, 3] as const;

function checkInput({ name, dtype, shape }: TensorSpec): void {
  checkDtype(dtype, `input ${name}`);
  if (shape.some((size, axis) => size === null && axis > 0)) {
    throw new CkptError("UNSUPPORTED_SHAPE", {
      where: `input ${name}`,
      shape,
      reason: "only the first dimension, the batch, may be open",
    });
  }
}

function readWeight({ key, savedName, tensor }: NamedWeight): ProgramWeight {
  const dtype = checkDtype(tensor.dtype, `weight ${key}`);
  return { key, savedName, dtype, shape: [...tensor.shape], values: copyValues(dtype, tensor.dataSync()) };
}

/**
 * Runs a computation three times (batch 2, batch 2 with other values, batch 3) and describes it for every batch size.
 * Leaves no tensor behind.
 *
 * @throws {CkptError} IMPURE_COMPUTATION, UNSUPPORTED_SHAPE or UNSUPPORTED_DTYPE.
 */
export function captureProgram(
  compute: TensorFunction,
  { inputs, outputNames, weights, currentLayer }: CaptureProgramOptions,
): CapturedProgram {
  inputs.forEach(checkInput);
  const tensors = new Map(weights.map(({ key, tensor }) => [key, tensor]));
  const trace = (batchSize: number, variant: number): Trace => {
    let recorded: Trace | undefined;
    tf.tidy(() => {
      const probes = inputs.map(({ dtype, shape }) => {
        const sizes = shape.map((size) => size ?? batchSize);
        const values = makeProbeValues(dtype, tf.util.sizeFromShape(sizes), variant);
        return tf.tensor(values, sizes, dtype);
      });
      recorded = varyChance(variant, () => recordTrace(compute, probes, { weights: tensors, currentLayer }));
    });
    if (recorded === undefined) throw new TypeError("The trace did not run.");
    return recorded;
  };
  const merged = mergeTraces({
    first: trace(batchSizes[0], 0),
    otherValues: trace(batchSizes[0], 1),
    otherBatch: trace(batchSizes[1], 0),
    batchSizes,
  });
  return { inputs, outputNames, ...merged, weights: weights.map(readWeight), batchSizes };
}
