import { CkptError, isCkptError, type TensorSpec } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import type { SymbolicShape } from "../ir/graph.js";
import type { CapturedProgram, ProgramWeight } from "./captured-program.js";
import type { TensorFunction } from "./record-trace.js";
import { AmbiguousSizes } from "./size-fitter.js";
import { listSizePlans, shapeInput, type SizePlan } from "./size-plan.js";
import { checkDtype, copyValues } from "./tensor-values.js";
import { traceSizes } from "./trace-sizes.js";

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
  /** Whether what runs now may read values: it only checks them. Default: never. */
  readonly isReadAllowed?: (() => boolean) | undefined;
}

function readWeight({ key, savedName, tensor }: NamedWeight): ProgramWeight {
  const dtype = checkDtype(tensor.dtype, `weight ${key}`);
  return { key, savedName, dtype, shape: [...tensor.shape], values: copyValues(dtype, tensor.dataSync()) };
}

/**
 * Runs a computation on inputs of a few sizes, twice at one of them, and describes it for every size. Leaves no tensor
 * behind. Where only the batch is open that takes three runs, else five; more where the computation does not run at the
 * sizes tried first.
 *
 * @throws {CkptError} IMPURE_COMPUTATION, UNSUPPORTED_SHAPE or UNSUPPORTED_DTYPE.
 */
export function captureProgram(compute: TensorFunction, options: CaptureProgramOptions): CapturedProgram {
  const { inputs, outputNames, weights, currentLayer, isReadAllowed } = options;
  for (const { name, dtype } of inputs) checkDtype(dtype, `input ${name}`);
  const tensors = new Map(weights.map(({ key, tensor }) => [key, tensor]));
  const hasOpenDimension = inputs.some(({ shape }) => shape.includes(null, 1));
  const failures: unknown[] = [];
  for (const plan of listSizePlans(inputs)) {
    // What runs at sizes of any kind, but cannot be told from them, is not what needs multiples or equal sizes.
    const hasRun = failures.some((failure) => failure instanceof AmbiguousSizes);
    if (hasRun && (plan.isAligned || plan.isTied)) continue;
    try {
      const traced = traceSizes(compute, plan, { inputs, weights: tensors, currentLayer, isReadAllowed });
      return {
        inputs,
        outputNames,
        ...traced,
        weights: weights.map(readWeight),
        probeShapes: listProbeShapes(plan, inputs),
      };
    } catch (error) {
      const isFinal = isCkptError(error) || !(hasOpenDimension || error instanceof AmbiguousSizes);
      if (isFinal) throw error;
      failures.push(error);
    }
  }
  throw failAllSizes(inputs, failures.at(-1) as Error);
}

// A probe for each untraced size; where only the batch is open there are none to choose.
function listProbeShapes(plan: SizePlan, inputs: readonly TensorSpec[]): readonly (readonly SymbolicShape[])[] {
  const count = Math.max(1, ...plan.open.map(({ untraced }) => untraced.length));
  return Array.from({ length: count }, (_, probe) =>
    inputs.map((spec, input) => shapeInput(plan, spec, input, ({ untraced }) => untraced[probe] ?? null)),
  );
}

function failAllSizes(inputs: readonly TensorSpec[], cause: Error): CkptError {
  const open = inputs.find(({ shape }) => shape.includes(null, 1)) ?? inputs[0];
  return new CkptError(
    "UNSUPPORTED_SHAPE",
    {
      where: `input ${open?.name}`,
      shape: open?.shape ?? [],
      reason: `no size tried for the open dimensions will do: ${cause.message}`,
    },
    { cause },
  );
}
