import type { TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { productSize, staticSize } from "../ir/size.js";
import type { CapturedProgram } from "./captured-program.js";
import { mergeTraces, type MergedTraces } from "./merge-traces.js";
import { makeProbeValues } from "./probe-values.js";
import {
  type LaterTensorFunction,
  recordTrace,
  recordTraceLater,
  type RecordTraceOptions,
  type TensorFunction,
} from "./record-trace.js";
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

/** What the traces of a computation have in common, and what its inputs are. */
export type TracedSizes = MergedTraces & Pick<CapturedProgram, "inputSizes">;

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
): TracedSizes {
  let runCount = 0;
  const trace = (choose: (size: OpenSize) => number, variant = 0): Trace => {
    let recorded: Trace | undefined;
    tf.tidy(() => {
      const probes = makeProbes(plan, inputs, choose, variant);
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
    return nameSizes(causes.length === 0 ? open : causes);
  };
  const [first, otherValues, ...otherSizes] = listRuns(plan).map(({ choose, variant }) => trace(choose, variant));
  return mergeRuns(plan, inputs, { first, otherValues, otherSizes, nameCause });
}

/** As {@link traceSizes}, of a computation that waits in between. Nothing else may use the engine meanwhile. */
export async function traceSizesLater(
  compute: LaterTensorFunction,
  plan: SizePlan,
  { inputs, ...traced }: TraceSizesOptions,
): Promise<TracedSizes> {
  const traces: Trace[] = [];
  for (const { choose, variant } of listRuns(plan)) {
    const engine = tf.engine();
    engine.startScope();
    try {
      traces.push(await recordTraceLater(compute, makeProbes(plan, inputs, choose, variant), traced));
    } finally {
      engine.endScope();
    }
  }
  const [first, otherValues, ...otherSizes] = traces;
  return mergeRuns(plan, inputs, { first, otherValues, otherSizes, nameCause: () => nameSizes(plan.open) });
}

/** A run of the computation: which sizes it is given, and which values. */
interface Run {
  readonly choose: (size: OpenSize) => number;
  readonly variant: number;
}

function listRuns({ open }: SizePlan): readonly Run[] {
  const count = open[0]?.traced.length ?? 1;
  const others = Array.from({ length: count - 1 }, (_, index) => ({ choose: tracedAt(index + 1), variant: 0 }));
  return [{ choose: tracedAt(0), variant: 0 }, { choose: tracedAt(0), variant: 1 }, ...others];
}

function makeProbes(
  plan: SizePlan,
  inputs: readonly TensorSpec[],
  choose: (size: OpenSize) => number,
  variant: number,
): readonly tf.Tensor[] {
  return inputs.map((spec, index) => {
    const shape = [...shapeInput(plan, spec, index, choose)];
    const values = makeProbeValues(spec.dtype, tf.util.sizeFromShape(shape), variant);
    return tf.tensor(values, shape, spec.dtype);
  });
}

function nameSizes(sizes: readonly OpenSize[]): string {
  return sizes.map(({ name }) => name).join(" or ");
}

/** The traces in the order of {@link listRuns}. */
interface Runs {
  readonly first: Trace | undefined;
  readonly otherValues: Trace | undefined;
  readonly otherSizes: readonly Trace[];
  readonly nameCause: (differs: (trace: Trace) => boolean) => string;
}

function mergeRuns(plan: SizePlan, inputs: readonly TensorSpec[], { first, otherValues, ...runs }: Runs): TracedSizes {
  if (first === undefined || otherValues === undefined) throw new TypeError("The trace did not run.");
  const inputSizes = inputs.map((spec, input) =>
    shapeInput(plan, spec, input, (size) => productSize([plan.open.indexOf(size)])).map((size) =>
      typeof size === "number" ? staticSize(size) : size,
    ),
  );
  const open = plan.open.map(({ traced }) => traced);
  return { ...mergeTraces({ first, otherValues, ...runs, open, inputSizes }), inputSizes };
}
