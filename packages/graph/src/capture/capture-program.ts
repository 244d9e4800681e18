import { CkptError, isCkptError, type TensorSpec } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import type { SymbolicShape } from "../ir/graph.js";
import type { CapturedProgram, ProgramWeight } from "./captured-program.js";
import type { LaterTensorFunction, TensorFunction } from "./record-trace.js";
import { AmbiguousSizes } from "./size-fitter.js";
import { listSizePlans, shapeInput, type SizePlan } from "./size-plan.js";
import { checkDtype, copyValues } from "./tensor-values.js";
import { type TracedSizes, traceSizes, type TraceSizesOptions, traceSizesLater } from "./trace-sizes.js";

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
  const search = new PlanSearch(options);
  for (const plan of search.plans()) {
    try {
      return search.describe(plan, traceSizes(compute, plan, search.traceOptions));
    } catch (error) {
      search.reject(error);
    }
  }
  return search.fail();
}

/** As {@link captureProgram}, of a computation that waits in between. Nothing else may use the engine meanwhile. */
export async function captureProgramLater(
  compute: LaterTensorFunction,
  options: CaptureProgramOptions,
): Promise<CapturedProgram> {
  const search = new PlanSearch(options);
  for (const plan of search.plans()) {
    try {
      return search.describe(plan, await traceSizesLater(compute, plan, search.traceOptions));
    } catch (error) {
      search.reject(error);
    }
  }
  return search.fail();
}

/** Goes from sizes that a computation does not run at, or that do not tell enough of it, to others. */
class PlanSearch {
  readonly traceOptions: TraceSizesOptions;
  readonly #options: CaptureProgramOptions;
  readonly #failures: unknown[] = [];

  constructor(options: CaptureProgramOptions) {
    const { inputs, weights, currentLayer, isReadAllowed } = options;
    for (const { name, dtype } of inputs) checkDtype(dtype, `input ${name}`);
    const tensors = new Map(weights.map(({ key, tensor }) => [key, tensor]));
    this.traceOptions = { inputs, weights: tensors, currentLayer, isReadAllowed };
    this.#options = options;
  }

  *plans(): Generator<SizePlan> {
    for (const plan of listSizePlans(this.#options.inputs)) {
      // What runs at sizes of any kind, but cannot be told from them, is not what needs multiples or equal sizes.
      const hasRun = this.#failures.some((failure) => failure instanceof AmbiguousSizes);
      if (!hasRun || !(plan.isAligned || plan.isTied)) yield plan;
    }
  }

  /** @throws The error, where other sizes will not help. */
  reject(error: unknown): void {
    const hasOpenDimension = this.#options.inputs.some(({ shape }) => shape.includes(null, 1));
    const isFinal = isCkptError(error) || !(hasOpenDimension || error instanceof AmbiguousSizes);
    if (isFinal) throw error;
    this.#failures.push(error);
  }

  describe(plan: SizePlan, traced: TracedSizes): CapturedProgram {
    const { inputs, outputNames, weights } = this.#options;
    const probeShapes = listProbeShapes(plan, inputs);
    return { inputs, outputNames, ...traced, weights: weights.map(readWeight), probeShapes };
  }

  fail(): never {
    throw failAllSizes(this.#options.inputs, this.#failures.at(-1) as Error);
  }
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
