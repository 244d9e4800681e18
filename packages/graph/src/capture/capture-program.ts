import { CkptError, isCkptError, type TensorSpec } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { SymbolicShape } from "../ir/graph.js";
import { productSize, staticSize } from "../ir/size.js";
import type { CapturedProgram, ProgramWeight } from "./captured-program.js";
import { mergeTraces, type MergedTraces } from "./merge-traces.js";
import { makeProbeValues } from "./probe-values.js";
import { recordTrace, type TensorFunction } from "./record-trace.js";
import { listSizePlans, type OpenSize, shapeInput, type SizePlan } from "./size-plan.js";
import { checkDtype, copyValues } from "./tensor-values.js";
import type { Trace } from "./trace.js";

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
  const { inputs, outputNames, weights } = options;
  for (const { name, dtype } of inputs) checkDtype(dtype, `input ${name}`);
  const plans = listSizePlans(inputs);
  let failure: unknown;
  for (const plan of plans) {
    try {
      const traced = traceSizes(compute, plan, options);
      return {
        inputs,
        outputNames,
        ...traced,
        weights: weights.map(readWeight),
        probeShapes: listProbeShapes(plan, inputs),
      };
    } catch (error) {
      if (plans.length === 1 || isCkptError(error)) throw error;
      failure = error;
    }
  }
  throw failAllSizes(inputs, failure as Error);
}

function traceSizes(
  compute: TensorFunction,
  plan: SizePlan,
  { inputs, weights, currentLayer }: CaptureProgramOptions,
): MergedTraces & Pick<CapturedProgram, "inputSizes"> {
  const tensors = new Map(weights.map(({ key, tensor }) => [key, tensor]));
  const trace = (choose: (size: OpenSize) => number, variant = 0): Trace => {
    let recorded: Trace | undefined;
    tf.tidy(() => {
      const probes = inputs.map((spec, index) => {
        const shape = [...shapeInput(plan, spec, index, choose)];
        const values = makeProbeValues(spec.dtype, tf.util.sizeFromShape(shape), variant);
        return tf.tensor(values, shape, spec.dtype);
      });
      recorded = recordTrace(compute, probes, { weights: tensors, currentLayer });
    });
    if (recorded === undefined) throw new TypeError("The trace did not run.");
    return recorded;
  };
  const tracedAt =
    (position: number) =>
    (size: OpenSize): number =>
      size.traced[position] ?? Number.NaN;
  const nameCause = (differs: (trace: Trace) => boolean): string => {
    const { open } = plan;
    const causes = open.filter((changed) => {
      if (open.length === 1) return true;
      try {
        return differs(trace((size) => tracedAt(size === changed ? 1 : 0)(size)));
      } catch {
        // It does not run with this one changed alone: no cause can be named.
        return false;
      }
    });
    return (causes.length === 0 ? open : causes).map(({ name }) => name).join(" or ");
  };
  const inputSizes = inputs.map((spec, input) =>
    shapeInput(plan, spec, input, (size) => productSize([plan.open.indexOf(size)])).map((size) =>
      typeof size === "number" ? staticSize(size) : size,
    ),
  );
  const positions = plan.open[0]?.traced.keys() ?? [0];
  const [first, ...others] = Array.from(positions, (position) => () => trace(tracedAt(position)));
  if (first === undefined) throw new TypeError("The plan has no sizes.");
  const merged = mergeTraces({
    first: first(),
    otherValues: trace(tracedAt(0), 1),
    otherSizes: others.map((run) => run()),
    open: plan.open.map(({ traced }) => traced),
    inputSizes,
    nameCause,
  });
  return { ...merged, inputSizes };
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
