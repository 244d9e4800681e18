import { serializeCanonicalJson } from "@ckpt/manifest";

import type { Size } from "../ir/size.js";
import { failImpure } from "./fail-impure.js";
import type { KernelCall, Trace, TracedTensor } from "./trace.js";

/** Runs of the same computation: the second with other input values, the others with other sizes. */
export interface TraceSet {
  readonly first: Trace;
  readonly otherValues: Trace;
  readonly otherSizes: readonly Trace[];
  /** Each open size of the inputs, as it was in `first` and in each of `otherSizes`. */
  readonly open: readonly (readonly number[])[];
  /** Sizes of the inputs, in their order; the open ones are symbols by their position in `open`. */
  readonly inputSizes: readonly (readonly Size[])[];
  /** Names the open sizes that, changed alone, give a trace that `differs` from `first`. */
  readonly nameCause: (differs: (trace: Trace) => boolean) => string;
}

/** Whether two lists hold the same numbers; NaN is the same as NaN. */
export function equalArrays(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
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

// The layer in which two traces part, empty outside of any; undefined where they do the same.
function findParting(a: Trace, b: Trace): string | undefined {
  for (let index = 0; index < Math.max(a.calls.length, b.calls.length); index++) {
    const [callA, callB] = [a.calls[index], b.calls[index]];
    if (callA === undefined || callB === undefined || describeCall(callA) !== describeCall(callB)) {
      return [callA?.layer ?? "", callB?.layer ?? ""].find((layer) => layer !== "") ?? "";
    }
    const parting =
      callA.body === undefined || callB.body === undefined ? undefined : findParting(callA.body, callB.body);
    if (parting !== undefined) return parting === "" ? callA.layer : parting;
  }
  return describeOutputs(a) === describeOutputs(b) ? undefined : "";
}

function checkSameValues(first: Trace, otherValues: Trace): void {
  for (const [index, call] of first.calls.entries()) {
    const other = otherValues.calls[index];
    if (serializeCanonicalJson(call.attributes) !== serializeCanonicalJson(other?.attributes)) {
      failImpure(call.layer, `an attribute of ${call.kernel} differs between two runs on inputs of one shape`);
    }
    if (describeShapes(call) !== describeShapes(other)) {
      failImpure(call.layer, `the shape of ${call.kernel} differs between two runs on inputs of one shape`);
    }
    if (call.body !== undefined && other?.body !== undefined) checkSameValues(call.body, other.body);
  }
  for (const [index, constant] of first.constants.entries()) {
    const other = otherValues.constants[index];
    if (other === undefined || !equalArrays(constant.values, other.values)) {
      failImpure(
        constant.layer,
        "a constant differs between two runs on inputs of one shape: a random number, or a value computed outside of tensors",
      );
    }
  }
}

function checkSameCalls({ first, otherSizes, nameCause }: TraceSet): void {
  for (const other of otherSizes) {
    const parting = findParting(first, other);
    if (parting === undefined) continue;
    const cause = nameCause((trace) => findParting(first, trace) !== undefined);
    failImpure(parting, `it does other operations when ${cause} changes; a fixed size there would do`);
  }
}

/**
 * Checks that the traces are runs of one pure computation: the same operations in all, and the same attributes, shapes
 * and constants where only input values differ.
 *
 * @throws {CkptError} IMPURE_COMPUTATION naming the layer where they part.
 */
export function checkTraces(traces: TraceSet): void {
  const { first, otherValues } = traces;
  const parting = findParting(first, otherValues);
  if (parting !== undefined) failImpure(parting, "it does other operations when the input values change");
  checkSameValues(first, otherValues);
  checkSameCalls(traces);
}
