import { type Batch, CkptError, type Split, type TensorData } from "@ckpt/manifest";

import { tf } from "#tfjs";

/** The tensors of one batch in the form a model is trained on. */
interface BatchTensors {
  /** In the order of the model's inputs. */
  readonly inputs: tf.Tensor[];
  /** `[rows, 1]` class indices, `[rows, classes]` one-hot, or the split's own targets. */
  readonly labels: tf.Tensor;
}

/** Turns batches of a split into tensors; the caller disposes of them. */
export type BatchConverter = (batch: Batch) => BatchTensors;

/**
 * Matches a split to a compiled model with one output: inputs by name, or by position where each side has exactly one.
 * Class indices become `[rows, 1]`, as sparse losses take them, or one-hot vectors for `categoricalCrossentropy`.
 *
 * @throws {CkptError} SIGNATURE_MISMATCH when inputs, their shapes, or the number of outputs or classes do not match;
 *   INVALID_OPTION when the model is not compiled.
 */
export function createBatchConverter(model: tf.LayersModel, split: Split): BatchConverter {
  if ((model.optimizer as tf.Optimizer | undefined) === undefined) {
    throw new CkptError("INVALID_OPTION", { option: "model", expected: "a compiled model", found: "no optimizer" });
  }
  const where = `split ${split.name}`;
  const [output] = model.outputs;
  if (output === undefined || model.outputs.length > 1) {
    throw new CkptError("SIGNATURE_MISMATCH", {
      where,
      expected: "a model with one output, for the one label of a row",
      found: `outputs ${model.outputNames.join(", ")}`,
    });
  }
  const sources = matchInputs(model, split, where);
  const unitCount = output.shape.at(-1) ?? 1;
  const isOneHot = isCategoricalCrossentropy(model.loss);
  // One unit is enough for two classes with a binary loss only.
  const needsUnits = unitCount > 1 || model.loss === "sparseCategoricalCrossentropy";
  if (split.classes !== undefined && needsUnits && split.classes.length > unitCount) {
    // TensorFlow.js would take the loss of a class without a unit as 0.
    throw new CkptError("SIGNATURE_MISMATCH", {
      where,
      expected: `at most ${unitCount} classes, as many as the model's output has units`,
      found: `${split.classes.length} classes`,
    });
  }
  return (batch) => ({
    inputs: sources.map(({ name, dtype }) => toTensor(requireInput(batch, name, where), dtype)),
    labels: toLabels(batch.labels, isOneHot ? unitCount : undefined),
  });
}

/**
 * Matches a split to the inputs of a model, as {@link createBatchConverter} does, and turns batches into inputs alone.
 *
 * @throws {CkptError} SIGNATURE_MISMATCH when inputs or their shapes do not match.
 */
export function createInputConverter(model: tf.LayersModel, split: Split): (batch: Batch) => tf.Tensor[] {
  const where = `split ${split.name}`;
  const sources = matchInputs(model, split, where);
  return (batch) => sources.map(({ name, dtype }) => toTensor(requireInput(batch, name, where), dtype));
}

interface InputSource {
  readonly name: string;
  readonly dtype: tf.DataType;
}

function matchInputs(model: tf.LayersModel, split: Split, where: string): readonly InputSource[] {
  const isSingle = model.inputs.length === 1 && split.inputs.length === 1;
  return model.inputs.map((input, index) => {
    const name = model.inputNames[index] ?? "";
    const spec = isSingle ? split.inputs[0] : split.inputs.find((candidate) => candidate.name === name);
    const expected = `input ${name} ${formatShape(input.shape)}`;
    if (spec === undefined) {
      const found = `inputs ${split.inputs.map((candidate) => candidate.name).join(", ")}`;
      throw new CkptError("SIGNATURE_MISMATCH", { where, expected, found });
    }
    const isFitting =
      spec.shape.length === input.shape.length &&
      spec.shape.every((size, axis) => (size ?? input.shape[axis]) === (input.shape[axis] ?? size));
    if (!isFitting) {
      throw new CkptError("SIGNATURE_MISMATCH", {
        where,
        expected,
        found: `input ${spec.name} ${formatShape(spec.shape)}`,
      });
    }
    return { name: spec.name, dtype: input.dtype };
  });
}

function requireInput(batch: Batch, name: string, where: string): TensorData {
  const data = batch.inputs[name];
  if (data === undefined) {
    const found = `a batch with inputs ${Object.keys(batch.inputs).join(", ")}`;
    throw new CkptError("SIGNATURE_MISMATCH", { where, expected: `input ${name}`, found });
  }
  return data;
}

/** TensorFlow.js wants labels as floats: class indices up to 2^24 are exact in them. */
function toLabels(labels: TensorData, oneHotDepth: number | undefined): tf.Tensor {
  if (labels.shape.length > 1) return toTensor(labels, "float32");
  return tf.tidy(() => {
    const indices = toTensor(labels, oneHotDepth === undefined ? "float32" : "int32");
    return oneHotDepth === undefined
      ? indices.reshape([-1, 1])
      : tf.oneHot(indices as tf.Tensor1D, oneHotDepth).cast("float32");
  });
}

function toTensor({ data, shape }: TensorData, dtype: tf.DataType): tf.Tensor {
  return tf.tidy(() => tf.tensor(data, [...shape], data instanceof Float32Array ? "float32" : "int32").cast(dtype));
}

function isCategoricalCrossentropy(loss: tf.LayersModel["loss"]): boolean {
  const only: unknown = typeof loss === "object" ? Object.values(loss)[0] : loss;
  return only === "categoricalCrossentropy" || only === tf.metrics.categoricalCrossentropy;
}

function formatShape(shape: readonly (number | null | undefined)[]): string {
  return `[${shape.map((size) => size ?? "?").join(", ")}]`;
}
