import { type Size, staticSize } from "../ir/size.js";
import type { ProgramArgument, ProgramBody, ProgramCall, ProgramConstant, SizedTensor } from "./captured-program.js";
import { checkTraces, type TraceSet } from "./check-traces.js";
import { findLiveCalls } from "./find-live-calls.js";
import { fitOutput } from "./fit-output.js";
import { mergeConstant } from "./merge-constant.js";
import { observeSizes } from "./observe-sizes.js";
import { createSizeFitter, type SizeFitter, type SizeSymbol } from "./size-fitter.js";
import type { KernelCall, Operand, ScanAttributes, Trace, TracedTensor } from "./trace.js";

/** What the traces have in common, as one description for every size. */
export interface MergedTraces {
  readonly calls: readonly ProgramCall[];
  readonly constants: readonly ProgramConstant[];
  readonly outputs: readonly ProgramArgument[];
  readonly symbols: readonly SizeSymbol[];
}

/** What the merging of a body shares with that of the computation around it. */
interface MergeContext {
  readonly fitter: SizeFitter;
  readonly nameCause: TraceSet["nameCause"];
  /** Whether sizes that come up here can be read where the computation goes on. */
  readonly isOutermost: boolean;
}

/** The bodies that a call has in each of the runs, for what is asked of a run. */
function enterCall(nameCause: TraceSet["nameCause"], index: number): TraceSet["nameCause"] {
  return (differs) =>
    nameCause((trace) => {
      const body = trace.calls[index]?.body;
      return body === undefined || differs(body);
    });
}

// What a body takes: a slice of each sequence, then the other inputs of the call as they are.
function listBodyInputs(call: KernelCall, inputs: readonly SizedTensor[]): readonly SizedTensor[] {
  const { sequenceCount } = call.attributes as unknown as ScanAttributes;
  return inputs.map(({ dtype, sizes }, index) => ({
    dtype,
    sizes: index < sequenceCount ? sizes.toSpliced(1, 1) : sizes,
  }));
}

// The output, all steps of it or the last one, and the last states, which are of the sizes of the first.
function listScanOutputs(call: KernelCall, inputs: readonly SizedTensor[], body: ProgramBody): readonly SizedTensor[] {
  const { sequenceCount, stateCount, returnsSequence } = call.attributes as unknown as ScanAttributes;
  const [output] = body.outputs;
  const time = inputs[0]?.sizes[1];
  if (output === undefined || time === undefined) return failUnknown();
  const sizes = returnsSequence ? output.sizes.toSpliced(1, 0, time) : output.sizes;
  const states = inputs.slice(sequenceCount, sequenceCount + stateCount);
  return [{ dtype: output.dtype, sizes }, ...states.map((state) => ({ dtype: state.dtype, sizes: state.sizes }))];
}

function mergeRuns(
  runs: readonly Trace[],
  inputSizes: readonly (readonly Size[])[],
  context: MergeContext,
): Omit<ProgramBody, "inputs"> {
  const { fitter, nameCause, isOutermost } = context;
  const [first] = runs;
  if (first === undefined) return failUnknown();
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
  const mergeBody = (index: number, inputs: readonly SizedTensor[]): ProgramBody => ({
    inputs,
    ...mergeRuns(
      runs.map((run) => run.calls[index]?.body ?? failUnknown()),
      inputs.map(({ sizes }) => sizes),
      { fitter, nameCause: enterCall(nameCause, index), isOutermost: false },
    ),
  });

  const live = findLiveCalls(first);
  for (const [index, call] of first.calls.entries()) {
    const inputs = call.inputs.map(mergeArgument);
    const merged = {
      kernel: call.kernel,
      layer: call.layer,
      inputs,
      attributes: runs.map((run) => run.calls[index]?.attributes ?? {}),
    };
    if (call.body !== undefined) {
      const body = mergeBody(index, listBodyInputs(call, inputs));
      calls.push({ ...merged, outputs: listScanOutputs(call, inputs, body), body });
      continue;
    }
    const isLive = isOutermost && live.has(index);
    calls.push({
      ...merged,
      outputs: call.outputs.map((output, position) => ({
        dtype: output.dtype,
        sizes: observeSizes(runs.map((run) => run.calls[index]?.outputs[position])).map((observed, axis) =>
          fitOutput(fitter, { kernel: call.kernel, inputs, observed, axis, isLive }),
        ),
      })),
    });
  }
  const outputs = first.outputs.map(mergeArgument);
  return {
    calls,
    constants: first.constants.map((_, index) => constants.get(index) ?? failUnknown()),
    outputs,
  };
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
  const fitter = createSizeFitter(open);
  const merged = mergeRuns([first, ...otherSizes], inputSizes, { fitter, nameCause, isOutermost: true });
  return { ...merged, symbols: fitter.symbols };
}

function failUnknown(): never {
  throw new TypeError("The trace refers to a value that it does not have.");
}
