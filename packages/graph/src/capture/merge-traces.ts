import { staticSize } from "../ir/size.js";
import type { ProgramArgument, ProgramCall, ProgramConstant, SizedTensor } from "./captured-program.js";
import { checkTraces, type TraceSet } from "./check-traces.js";
import { findLiveCalls } from "./find-live-calls.js";
import { fitOutput } from "./fit-output.js";
import { mergeConstant } from "./merge-constant.js";
import { observeSizes } from "./observe-sizes.js";
import { createSizeFitter, type SizeSymbol } from "./size-fitter.js";
import type { KernelCall, Operand, TracedTensor } from "./trace.js";

/** What the traces have in common, as one description for every size. */
export interface MergedTraces {
  readonly calls: readonly ProgramCall[];
  readonly constants: readonly ProgramConstant[];
  readonly outputs: readonly ProgramArgument[];
  readonly symbols: readonly SizeSymbol[];
}

/**
 * Checks that the traces are runs of one pure computation and merges them.
 *
 * @throws {CkptError} IMPURE_COMPUTATION naming the layer where they part; UNSUPPORTED_SHAPE for a constant whose shape
 *   follows from no other.
 * @throws {AmbiguousSizes} where other sizes may do.
 */
export function mergeTraces(traces: TraceSet): MergedTraces {
  const { first, otherSizes, open, inputSizes, nameCause } = traces;
  checkTraces(traces);

  const runs = [first, ...otherSizes];
  const fitter = createSizeFitter(open);
  const calls: ProgramCall[] = [];
  const constants = new Map<number, ProgramConstant>();

  const findTensor = (operand: Operand, tensor: TracedTensor): SizedTensor => {
    if (operand.kind === "input") return { dtype: tensor.dtype, sizes: inputSizes[operand.index] ?? [] };
    if (operand.kind === "call") return calls[operand.index]?.outputs[operand.output] ?? failUnknown();
    if (operand.kind === "weight") return { dtype: tensor.dtype, sizes: tensor.shape.map(staticSize) };
    const known = constants.get(operand.index);
    if (known !== undefined) return known;
    const constant = mergeConstant(runs, operand.index, { fitter, nameCause });
    constants.set(operand.index, constant);
    return constant;
  };
  const mergeArgument = (argument: KernelCall["inputs"][number]): ProgramArgument => {
    const { dtype, sizes } = findTensor(argument.operand, argument);
    return { slot: argument.slot, operand: argument.operand, dtype, sizes };
  };

  const live = findLiveCalls(first);
  for (const [index, call] of first.calls.entries()) {
    const inputs = call.inputs.map(mergeArgument);
    calls.push({
      kernel: call.kernel,
      layer: call.layer,
      inputs,
      attributes: runs.map((run) => run.calls[index]?.attributes ?? {}),
      outputs: call.outputs.map((output, position) => ({
        dtype: output.dtype,
        sizes: observeSizes(runs.map((run) => run.calls[index]?.outputs[position])).map((observed, axis) =>
          fitOutput(fitter, { kernel: call.kernel, inputs, observed, axis, isLive: live.has(index) }),
        ),
      })),
    });
  }
  const outputs = first.outputs.map(mergeArgument);
  return {
    calls,
    constants: first.constants.map((_, index) => constants.get(index) ?? failUnknown()),
    outputs,
    symbols: fitter.symbols,
  };
}

function failUnknown(): never {
  throw new TypeError("The trace refers to a value that it does not have.");
}
