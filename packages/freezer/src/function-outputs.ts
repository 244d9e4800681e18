import type { TensorFunction } from "@ckpt/graph";
import { CkptError, type TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

/** Computes one output, a list of them, or named ones, from named inputs, as the trainer's hand-written models do. */
export type Predict = (inputs: tf.NamedTensorMap) => tf.Tensor | tf.Tensor[] | tf.NamedTensorMap;

/** A function by positions, with the names of what it gives. */
export interface NamedFunction {
  readonly compute: TensorFunction;
  readonly outputNames: readonly string[];
}

/**
 * Turns a function on named tensors into one by positions. Named outputs keep their names, a list has `output_0`,
 * `output_1`, ..., a single one is `output`. Runs it once on zeros, with 2 in the place of each open size.
 *
 * @throws {CkptError} INVALID_OPTION when it is asynchronous or gives no tensors.
 */
export function nameOutputs(predict: Predict, inputs: readonly TensorSpec[]): NamedFunction {
  const run = (tensors: readonly tf.Tensor[]): readonly (readonly [string, tf.Tensor])[] => {
    const named = Object.fromEntries(inputs.map(({ name }, index) => [name, tensors[index] as tf.Tensor]));
    return listOutputs(predict(named));
  };
  const names: string[] = [];
  tf.tidy(() => {
    const zeros = inputs.map(({ dtype, shape }) =>
      tf.zeros(
        shape.map((size) => size ?? 2),
        dtype,
      ),
    );
    names.push(...run(zeros).map(([name]) => name));
  });
  return { compute: (...tensors) => run(tensors).map(([, tensor]) => tensor), outputNames: names };
}

function listOutputs(outputs: unknown): readonly (readonly [string, tf.Tensor])[] {
  if (outputs instanceof Promise) {
    outputs.catch(() => undefined);
    throw invalid("a function that is not asynchronous", "one that returns a promise");
  }
  const named = nameEntries(outputs);
  if (named.length === 0) throw invalid("a function that returns tensors", typeof outputs);
  return named.map(([name, tensor]) => {
    if (!(tensor instanceof tf.Tensor)) throw invalid("a function that returns tensors", `${name}: ${typeof tensor}`);
    return [name, tensor];
  });
}

function nameEntries(outputs: unknown): readonly (readonly [string, unknown])[] {
  if (outputs instanceof tf.Tensor) return [["output", outputs]];
  if (Array.isArray(outputs)) return outputs.map((output: unknown, index) => [`output_${index}`, output]);
  return typeof outputs === "object" && outputs !== null ? Object.entries(outputs) : [];
}

function invalid(expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option: "predict", expected, found });
}
