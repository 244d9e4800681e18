import { serializeCanonicalJson } from "@ckpt/manifest";

import { fitSize, isStaticSize } from "../ir/size.js";
import type { ProgramArgument, ProgramBody, ProgramCall, ProgramConstant, SizedTensor } from "./captured-program.js";
import { failImpure } from "./fail-impure.js";
import type { KernelCall, Trace, TracedArgument, TracedConstant, TracedTensor } from "./trace.js";

/** Three runs of the same computation: the second with other input values, the third with another batch size. */
export interface TraceSet {
  readonly first: Trace;
  readonly otherValues: Trace;
  readonly otherBatch: Trace;
  /** The batch sizes of `first` and `otherBatch`. */
  readonly batchSizes: readonly [number, number];
}

/** What the three traces have in common, as one description for every batch size. */
export interface MergedTraces {
  readonly calls: readonly ProgramCall[];
  readonly constants: readonly ProgramConstant[];
  readonly outputs: readonly ProgramArgument[];
}

function equalArrays(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (!Object.is(a[index], b[index])) return false;
  }
  return true;
}

function describeTensor(tensor: TracedTensor): unknown {
  return [tensor.dtype, tensor.shape.length];
}

// Kernel, layer, inputs and ranks, but no sizes.
function describeCall(call: KernelCall): string {
  return serializeCanonicalJson([
    call.kernel,
    call.layer,
    call.inputs.map((input) => [input.slot, input.operand, describeTensor(input)]),
    call.outputs.map(describeTensor),
    call.body?.inputs.map(describeTensor) ?? [],
  ]);
}

function describeOutputs(trace: Trace): string {
  return serializeCanonicalJson(trace.outputs.map((output) => output.operand));
}

function describeShapes(call: KernelCall | undefined): string {
  return JSON.stringify(call?.outputs.map((output) => output.shape));
}

function checkSameCalls(a: Trace, b: Trace, reason: string): void {
  for (let index = 0; index < Math.max(a.calls.length, b.calls.length); index++) {
    const [callA, callB] = [a.calls[index], b.calls[index]];
    if (callA === undefined || callB === undefined || describeCall(callA) !== describeCall(callB)) {
      const layers = [callA?.layer ?? "", callB?.layer ?? ""];
      failImpure(layers.find((layer) => layer !== "") ?? "", reason);
    }
    if (callA.body !== undefined && callB.body !== undefined) checkSameCalls(callA.body, callB.body, reason);
  }
  if (describeOutputs(a) !== describeOutputs(b)) failImpure("", reason);
}

function checkSameValues({ first, otherValues }: TraceSet): void {
  for (const [index, call] of first.calls.entries()) {
    const other = otherValues.calls[index];
    if (serializeCanonicalJson(call.attributes) !== serializeCanonicalJson(other?.attributes)) {
      failImpure(call.layer, `an attribute of ${call.kernel} differs between two runs at one batch size`);
    }
    if (describeShapes(call) !== describeShapes(other)) {
      failImpure(call.layer, `the shape of ${call.kernel} differs between two runs at one batch size`);
    }
  }
  for (const [index, constant] of first.constants.entries()) {
    const other = otherValues.constants[index];
    if (other === undefined || !equalArrays(constant.values, other.values)) {
      failImpure(
        constant.layer,
        "a constant differs between two runs at one batch size: a random number, or a value computed outside of tensors",
      );
    }
  }
}

/**
 * Checks that the three traces are runs of one pure computation and merges them.
 *
 * @throws {CkptError} IMPURE_COMPUTATION naming the layer where they part.
 */
export function mergeTraces(traces: TraceSet): MergedTraces {
  const { first, otherValues, otherBatch, batchSizes } = traces;
  checkSameCalls(first, otherValues, "it does other operations when the input values change");
  checkSameCalls(first, otherBatch, "it does other operations when the batch size changes");
  checkSameValues(traces);

  const fit = (a: TracedTensor, b: TracedTensor | undefined): SizedTensor => ({
    dtype: a.dtype,
    sizes: a.shape.map((size, axis) => fitSize(size, b?.shape[axis] ?? size, ...batchSizes)),
  });
  const fitArgument = (a: TracedArgument, b: TracedArgument | undefined): ProgramArgument => ({
    slot: a.slot,
    operand: a.operand,
    ...fit(a, b),
  });
  const fitConstant = (a: TracedConstant, b: TracedConstant | undefined): ProgramConstant => {
    if (b === undefined || a.dtype !== b.dtype || a.shape.length !== b.shape.length) {
      failImpure(a.layer, "a constant has another dtype or rank when the batch size changes");
    }
    const tensor = { ...fit(a, b), layer: a.layer };
    if (tensor.sizes.every(isStaticSize)) {
      if (!equalArrays(a.values, b.values)) {
        failImpure(
          a.layer,
          "a constant has other values when the batch size changes: the batch size is used as a number",
        );
      }
      return { ...tensor, values: a.values };
    }
    const value = a.values[0] ?? b.values[0];
    if (value === undefined || ![...a.values, ...b.values].every((other) => Object.is(other, value))) {
      failImpure(a.layer, "a constant grows with the batch size and its values are not all the same");
    }
    const one = a.values.slice(0, 1);
    one[0] = value;
    return { ...tensor, values: one };
  };

  const mergeBodies = (index: number): ProgramBody | undefined => {
    const bodies = [first, otherValues, otherBatch].map((trace) => trace.calls[index]?.body);
    const [body, bodyOfOtherValues, bodyOfOtherBatch] = bodies;
    if (body === undefined || bodyOfOtherValues === undefined || bodyOfOtherBatch === undefined) return undefined;
    return {
      inputs: body.inputs.map((input, position) => fit(input, bodyOfOtherBatch.inputs[position])),
      ...mergeTraces({ first: body, otherValues: bodyOfOtherValues, otherBatch: bodyOfOtherBatch, batchSizes }),
    };
  };

  return {
    calls: first.calls.map((call, index) => {
      const other = otherBatch.calls[index];
      const body = mergeBodies(index);
      return {
        kernel: call.kernel,
        layer: call.layer,
        inputs: call.inputs.map((input, position) => fitArgument(input, other?.inputs[position])),
        attributes: [call.attributes, other?.attributes ?? call.attributes],
        outputs: call.outputs.map((output, position) => fit(output, other?.outputs[position])),
        ...(body === undefined ? {} : { body }),
      };
    }),
    constants: first.constants.map((constant, index) => fitConstant(constant, otherBatch.constants[index])),
    outputs: first.outputs.map((output, index) => fitArgument(output, otherBatch.outputs[index])),
  };
}
