import type { TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { productSize, staticSize } from "../ir/size.js";
import type { CapturedProgram } from "./captured-program.js";
import { mergeTraces, type MergedTraces } from "./merge-traces.js";
import { makeProbeValues } from "./probe-values.js";
import { recordTrace, type RecordTraceOptions, type TensorFunction } from "./record-trace.js";
import { type OpenSize, shapeInput, type SizePlan } from "./size-plan.js";
import type { Trace } from "./trace.js";
import { varyChance } from "./vary-chance.js";

/** Inputs of the computation, and what a trace has to know besides. */
export interface TraceSizesOptions extends RecordTraceOptions {
  readonly inputs: readonly TensorSpec[];
}

// What a size is in a run.
function tracedAt(position: number): (size: OpenSize) => number {
  return ({ traced }) => traced[position] ?? Number.NaN;
}

/**
 * Runs a computation at each of the sizes of a plan, twice at the first, and merges what it did. Leaves no tensor behind.
 *
 * @throws {CkptError} IMPURE_COMPUTATION, UNSUPPORTED_SHAPE or UNSUPPORTED_DTYPE.
 * @throws {AmbiguousSizes} where other sizes may do.
 */
export function traceSizes(
  compute: TensorFunction,
  plan: SizePlan,
  { inputs, ...traced }: TraceSizesOptions,
): MergedTraces & Pick<CapturedProgram, "inputSizes"> {
  let runCount = 0;
  const trace = (choose: (size: OpenSize) => number, variant = 0): Trace => {
    let recorded: Trace | undefined;
    tf.tidy(() => {
      const probes = inputs.map((spec, index) => {
        const shape = [...shapeInput(plan, spec, index, choose)];
        const values = makeProbeValues(spec.dtype, tf.util.sizeFromShape(shape), variant);
        return tf.tensor(values, shape, spec.dtype);
      });
      recorded = varyChance(runCount++, () => recordTrace(compute, probes, traced));
    });
    if (recorded === undefined) throw new TypeError("The trace did not run.");
    return recorded;
  };
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
  const count = plan.open[0]?.traced.length ?? 1;
  const merged = mergeTraces({
    first: trace(tracedAt(0)),
    otherValues: trace(tracedAt(0), 1),
    otherSizes: Array.from({ length: count - 1 }, (_, index) => trace(tracedAt(index + 1))),
    open: plan.open.map(({ traced }) => traced),
    inputSizes,
    nameCause,
  });
  return { ...merged, inputSizes };
}
