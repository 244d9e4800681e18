import * as tf from "@tensorflow/tfjs";

import { failImpure } from "./fail-impure.js";
import { interceptEngine } from "./intercept-engine.js";
import { checkDtype, copyValues } from "./tensor-values.js";
import type { KernelCall, Operand, Trace, TracedArgument, TracedConstant } from "./trace.js";

/** A computation on tensors; what it returns is in the order of the signature's outputs. */
export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** What a trace has to know besides the inputs. */
export interface RecordTraceOptions {
  /** The current weights by key. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
  /** Path of the layer that is being called. */
  readonly currentLayer: () => string;
  /** Whether what runs now may read values: it only checks them, and what it computes does not depend on them. */
  readonly isReadAllowed?: (() => boolean) | undefined;
}

/**
 * Runs the function once and records its outermost kernel calls. Calls that depend on neither input nor weight are
 * not recorded: their results are constants. The engine is as before afterwards, also after an error; the caller
 * wraps this in `tf.tidy`.
 *
 * @throws {CkptError} IMPURE_COMPUTATION when it reads a value that depends on an input or a weight, or assigns a variable.
 */
export function recordTrace(
  compute: TensorFunction,
  inputs: readonly tf.Tensor[],
  { weights, currentLayer, isReadAllowed = () => false }: RecordTraceOptions,
): Trace {
  const calls: KernelCall[] = [];
  const constants: TracedConstant[] = [];
  const operands = new Map<number, Operand>();
  // Reads go by buffer, not by tensor: a reshaped tensor shares the buffer of its source.
  const tracedData = new Set<object>();
  for (const [index, input] of inputs.entries()) {
    operands.set(input.id, { kind: "input", index });
    tracedData.add(input.dataId);
  }
  for (const [key, weight] of weights) {
    operands.set(weight.id, { kind: "weight", key });
    tracedData.add(weight.dataId);
  }

  const fail = (reason: string): never => failImpure(currentLayer(), reason);
  const findArgument = (slot: string, tensor: tf.Tensor): TracedArgument => {
    const layer = currentLayer();
    const dtype = checkDtype(tensor.dtype, layer === "" ? `a ${tensor.dtype} tensor` : `layer ${layer}`);
    const shape = [...tensor.shape];
    let operand = operands.get(tensor.id);
    if (operand === undefined) {
      operand = { kind: "constant", index: constants.length };
      constants.push({ dtype, shape, layer, values: copyValues(dtype, engine.readNumbers(tensor)) });
      operands.set(tensor.id, operand);
    }
    return { slot, operand, dtype, shape };
  };

  const readReason = "it reads the values of a tensor that depends on its inputs or weights";
  let readLaterIn: string | undefined;
  const engine = interceptEngine({
    onKernel: (kernel, named, attributes, run) => {
      const entries = Object.entries(named).filter(
        (entry): entry is [string, tf.Tensor] => entry[1] instanceof tf.Tensor,
      );
      const isTraced = entries.some(([, tensor]) => {
        const operand = operands.get(tensor.id);
        return operand !== undefined && operand.kind !== "constant";
      });
      if (!isTraced) return run();
      // Before the call: a kernel may return the very tensor it was given.
      const callInputs = entries.map(([slot, tensor]) => findArgument(slot, tensor));
      const result = run();
      const outputs = Array.isArray(result) ? result : [result];
      const layer = currentLayer();
      for (const [output, tensor] of outputs.entries()) {
        operands.set(tensor.id, { kind: "call", index: calls.length, output });
        tracedData.add(tensor.dataId);
      }
      calls.push({
        kernel,
        layer,
        inputs: callInputs,
        attributes: { ...attributes },
        outputs: outputs.map((tensor) => ({
          dtype: checkDtype(tensor.dtype, `kernel ${kernel}${layer === "" ? "" : ` of layer ${layer}`}`),
          shape: [...tensor.shape],
        })),
      });
      return result;
    },
    onRead: (dataId) => {
      if (tracedData.has(dataId) && !isReadAllowed()) fail(readReason);
    },
    onReadLater: (dataId) => {
      if (tracedData.has(dataId)) readLaterIn ??= currentLayer();
    },
    onAssign: (variable) => fail(`it assigns the variable ${variable}`),
  });
  try {
    const result = compute(...inputs);
    if (readLaterIn !== undefined) failImpure(readLaterIn, readReason);
    const outputs = Array.isArray(result) ? result : [result];
    return { calls, constants, outputs: outputs.map((tensor, index) => findArgument(String(index), tensor)) };
  } finally {
    engine.restore();
  }
}
