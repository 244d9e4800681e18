import { CkptError, type Dtype, dtypes, type TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

/** Computes named outputs, one, or a list of them, from named inputs. */
export type Predict = (inputs: tf.NamedTensorMap) => tf.Tensor | tf.Tensor[] | tf.NamedTensorMap;

/**
 * Finds the names, types and shapes of what `predict` gives by running it on zeros: once with 1 and once with 2 in the
 * place of each open dimension; a size that differs between the two is open. Named outputs keep their names, a list has
 * `output_0`, `output_1`, ..., a single one is `output`. Leaves no tensor behind.
 *
 * @throws {CkptError} INVALID_OPTION when `predict` throws, is asynchronous or gives no outputs; UNSUPPORTED_DTYPE.
 */
export function probePredict(predict: Predict, inputs: readonly TensorSpec[]): readonly TensorSpec[] {
  const [one, two] = [runOnZeros(predict, inputs, 1), runOnZeros(predict, inputs, 2)];
  if (one.length === 0) throw invalid("at least one output", "none");
  return one.map(({ name, dtype, shape }, index) => {
    const other = two[index];
    if (
      two.length !== one.length ||
      other?.name !== name ||
      other.dtype !== dtype ||
      other.shape.length !== shape.length
    ) {
      throw invalid("the same outputs for each batch size", `other ones for 2 rows than for 1: ${name}`);
    }
    return { name, dtype, shape: shape.map((size, axis) => (size === other.shape[axis] ? size : null)) };
  });
}

function runOnZeros(predict: Predict, inputs: readonly TensorSpec[], openSize: number): readonly TensorSpec[] {
  const specs: TensorSpec[] = [];
  tf.tidy(() => {
    const zeros = Object.fromEntries(inputs.map((spec) => [spec.name, createZeros(spec, openSize)]));
    const outputs = nameOutputs(callPredict(predict, zeros));
    for (const [name, output] of outputs) specs.push(describeOutput(name, output));
  });
  return specs;
}

function callPredict(predict: Predict, inputs: tf.NamedTensorMap): unknown {
  try {
    return predict(inputs);
  } catch (cause) {
    const expected = "a function that computes outputs from zeros of the shapes of inputs, with one row and with two";
    const details = { option: "predict", expected, found: `an error: ${(cause as Error).message}` };
    throw new CkptError("INVALID_OPTION", details, { cause });
  }
}

function createZeros({ dtype, shape }: TensorSpec, openSize: number): tf.Tensor {
  const sizes = shape.map((size) => size ?? openSize);
  return dtype === "string" ? tf.fill(sizes, "", "string") : tf.zeros(sizes, dtype);
}

function nameOutputs(outputs: unknown): readonly (readonly [string, unknown])[] {
  if (outputs instanceof tf.Tensor) return [["output", outputs]];
  if (Array.isArray(outputs)) return outputs.map((output: unknown, index) => [`output_${index}`, output]);
  if (outputs instanceof Promise) {
    outputs.catch(() => undefined);
    throw invalid("a function that is not asynchronous", "one that returns a promise");
  }
  if (typeof outputs === "object" && outputs !== null) return Object.entries(outputs);
  throw invalid("a function that returns tensors", `one that returns ${typeof outputs}`);
}

function describeOutput(name: string, output: unknown): TensorSpec {
  if (!(output instanceof tf.Tensor)) throw invalid("a function that returns tensors", `${name}: ${typeof output}`);
  const { dtype, shape } = output;
  return { name, dtype: requireDtype(name, dtype), shape };
}

function requireDtype(where: string, dtype: string): Dtype {
  const found = dtypes.find((known) => known === dtype);
  if (found === undefined) throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: dtypes });
  return found;
}

function invalid(expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option: "predict", expected, found });
}
