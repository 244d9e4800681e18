import { CkptError } from "@ckpt/manifest";

import { isStaticSize, staticSize } from "../ir/size.js";
import type { ProgramArgument, ProgramCall, ProgramConstant, SizedTensor } from "./captured-program.js";
import { checkTraces, equalArrays, type TraceSet } from "./check-traces.js";
import { failImpure } from "./fail-impure.js";
import { findLiveCalls } from "./find-live-calls.js";
import { fitOutput } from "./fit-output.js";
import { createSizeFitter, type SizeSymbol } from "./size-fitter.js";
import type { KernelCall, Operand, Trace, TracedConstant, TracedTensor } from "./trace.js";

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

  const observe = (tensor: TracedTensor, find: (run: Trace) => TracedTensor | undefined): number[][] =>
    tensor.shape.map((_, axis) => runs.map((run) => find(run)?.shape[axis] ?? Number.NaN));
  const mergeConstant = (index: number, constant: TracedConstant): ProgramConstant => {
    const { layer, dtype, shape, values } = constant;
    const observed = observe(constant, (run) => run.constants[index]);
    const sizes = observed.map((size) => {
      const fitted = fitter.fitRequested({ observed: size, near: [] });
      if (fitted !== undefined) return fitted;
      throw new CkptError("UNSUPPORTED_SHAPE", {
        where: layer === "" ? "a constant" : `a constant of layer ${layer}`,
        shape: observed.map((each, axis) => (each.every((value) => value === each[0]) ? (shape[axis] ?? null) : null)),
        reason: "its size follows from no size of a tensor",
      });
    });
    const merged = { dtype, sizes, layer };
    if (sizes.every(isStaticSize)) {
      const differs = (trace: Trace): boolean => !equalArrays(values, trace.constants[index]?.values ?? []);
      if (otherSizes.some(differs)) {
        failImpure(layer, `a constant has other values when ${nameCause(differs)} changes: a size is used as a number`);
      }
      return { ...merged, values };
    }
    const all = [values, ...otherSizes.flatMap((run) => run.constants[index]?.values ?? [])];
    const one = all.find((list) => list.length > 0)?.slice(0, 1) ?? values;
    if (!all.every((list) => list.every((item) => Object.is(item, one[0])))) {
      failImpure(layer, "a constant grows with a size of the input and its values are not all the same");
    }
    return { ...merged, values: one };
  };
  const findTensor = (operand: Operand, tensor: TracedTensor): SizedTensor => {
    if (operand.kind === "input") return { dtype: tensor.dtype, sizes: inputSizes[operand.index] ?? [] };
    if (operand.kind === "call") return calls[operand.index]?.outputs[operand.output] ?? failUnknown();
    if (operand.kind === "weight") return { dtype: tensor.dtype, sizes: tensor.shape.map(staticSize) };
    const known = constants.get(operand.index);
    if (known !== undefined) return known;
    const constant = mergeConstant(operand.index, first.constants[operand.index] ?? failUnknown());
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
        sizes: observe(output, (run) => run.calls[index]?.outputs[position]).map((observed, axis) =>
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
