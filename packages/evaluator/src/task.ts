import { CkptError, type TensorData, type TensorSpec } from "@ckpt/manifest";

/** What the labels make of an output: scores of classes, or values to be near to. */
export type Task =
  | { readonly kind: "classification"; readonly classCount: number }
  | { readonly kind: "multilabel"; readonly labelCount: number }
  | { readonly kind: "regression"; readonly targetCount: number }
  | { readonly kind: "sequence"; readonly classCount: number; readonly positionCount: number };

/** Values per row as metrics count them: classes, labels, targets, or the classes of each position. */
export function countColumns(task: Task): number {
  if (task.kind === "regression") return task.targetCount;
  return task.kind === "multilabel" ? task.labelCount : task.classCount;
}

/**
 * Tells the task from the specs of the scored output and of the labels. Labels of dtype int32 and
 * one value a row are class indices: the output then is `[rows, classes]`, or `[rows, 1]` or `[rows]` with the
 * probability of class 1 of two. With several values a row they are labels that are 0 or 1, the output then is
 * `[rows, labels]`; or a class for each position, the output then is `[rows, positions, classes]`. Labels of dtype
 * float32 are regression targets, as many per row as the output has values.
 *
 * @param where - Named in errors.
 * @throws {CkptError} SIGNATURE_MISMATCH when the two do not belong together.
 */
export function describeTask(
  where: string,
  output: TensorSpec,
  labels: TensorSpec,
  classes: readonly string[] | undefined,
): Task {
  const valueCount = countValues(output);
  if (labels.dtype !== "int32") {
    const targetCount = countValues(labels);
    if (valueCount !== targetCount) {
      throw mismatch(where, `${targetCount} value(s) per row, as many as the labels have`, output);
    }
    return { kind: "regression", targetCount };
  }
  if (countValues(labels) > 1) return describeManyLabels(where, output, labels, classes);
  const classCount = Math.max(valueCount, 2);
  if (output.shape.length > 2) throw mismatch(where, "class scores [rows, classes]", output);
  if (classes !== undefined && classes.length !== classCount) {
    throw mismatch(where, `scores of the ${classes.length} classes of the labels`, output);
  }
  return { kind: "classification", classCount };
}

function describeManyLabels(
  where: string,
  output: TensorSpec,
  labels: TensorSpec,
  classes: readonly string[] | undefined,
): Task {
  const labelCount = countValues(labels);
  const [, positions, classCount] = output.shape;
  const isSequence =
    output.shape.length === 3 &&
    labels.shape.length === 2 &&
    positions === labelCount &&
    typeof classCount === "number";
  const task: Task = isSequence
    ? { kind: "sequence", classCount, positionCount: labelCount }
    : { kind: "multilabel", labelCount };
  if (!isSequence && (output.shape.length !== 2 || positions !== labelCount)) {
    const expected = `probabilities [rows, ${labelCount}] of as many labels, or [rows, ${labelCount}, classes] of positions`;
    throw mismatch(where, expected, output);
  }
  if (classes !== undefined && classes.length !== countColumns(task)) {
    throw mismatch(where, `scores of the ${classes.length} classes of the labels`, output);
  }
  return task;
}

/** The spec of labels, its first dimension `null`: int32 or float32 by their values. */
export function describeLabels({ data, shape }: TensorData): TensorSpec {
  return {
    name: "labels",
    dtype: data instanceof Int32Array ? "int32" : "float32",
    shape: [null, ...shape.slice(1)],
  };
}

/** Values of one row. */
export function countValues(spec: TensorSpec): number {
  return spec.shape.slice(1).reduce((product: number, size) => product * (size ?? 1), 1);
}

function mismatch(where: string, expected: string, output: TensorSpec): CkptError {
  return new CkptError("SIGNATURE_MISMATCH", {
    where: `${where}: output ${output.name}`,
    expected,
    found: `[${output.shape.map((size) => size ?? "?").join(", ")}]`,
  });
}
