import { CkptError, type TensorSpec } from "@ckpt/manifest";

/** What the labels make of an output: scores of classes, or values to be near to. */
export type Task =
  | { readonly kind: "classification"; readonly classCount: number }
  | { readonly kind: "regression"; readonly targetCount: number };

/**
 * Tells the task from the specs of the scored output and of the labels. Labels of dtype int32 are class indices: the
 * output then is `[rows, classes]`, or `[rows, 1]` or `[rows]` with the probability of class 1 of two. Labels of dtype
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
  const classCount = Math.max(valueCount, 2);
  if (output.shape.length > 2) throw mismatch(where, "class scores [rows, classes]", output);
  if (classes !== undefined && classes.length !== classCount) {
    throw mismatch(where, `scores of the ${classes.length} classes of the labels`, output);
  }
  return { kind: "classification", classCount };
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
