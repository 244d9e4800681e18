import { narrowNumbers, type WeightData } from "@ckpt/graph";
import { CkptError } from "@ckpt/manifest";
import type { TensorValue } from "@ckpt/tensor-bundle";

/**
 * A tensor of a checkpoint with one of the element types there are in a frozen graph: floats of all sizes are float32,
 * integers of all sizes int32. What is that already is not copied.
 *
 * @param where - Named in errors.
 * @throws {CkptError} UNSUPPORTED_DTYPE for text, complex and quantized numbers, and for a value that does not fit.
 */
export function narrowValues(tensor: TensorValue, where: string): WeightData {
  const { shape } = tensor;
  switch (tensor.dtype) {
    case "float32":
    case "int32":
    case "bool":
      return { dtype: tensor.dtype, shape, values: tensor.values };
    case "float64":
    case "float16":
    case "bfloat16":
    case "int64":
    case "uint64":
    case "uint32":
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
      return { ...narrowNumbers(tensor.dtype, tensor.values, where), shape };
    case "string":
    case "complex64":
    case "complex128":
    case "qint8":
    case "quint8":
    case "qint16":
    case "quint16":
    case "qint32":
      throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype: tensor.dtype, supported: ["float32", "int32", "bool"] });
    default:
      throw new TypeError(`unknown tensor ${JSON.stringify(tensor satisfies never)}`);
  }
}

/** A block of a tensor by its start and size in each dimension, row by row. */
export function cutBlock(
  { dtype, shape, values }: WeightData,
  starts: readonly number[],
  sizes: readonly number[],
): WeightData {
  const block = values.slice(
    0,
    sizes.reduce((product, size) => product * size, 1),
  );
  // All dimensions behind this one are whole, so their elements stand in one run.
  const isPartial = (axis: number): boolean => sizes[axis] !== shape[axis];
  const last = shape.findLastIndex((_, axis) => isPartial(axis));
  const inner = shape.slice(last + 1).reduce((product, size) => product * size, 1);
  const runLength = (sizes[last] ?? 1) * inner;
  for (let target = 0; target < block.length; target += runLength) {
    let rest = target / inner;
    let source = 0;
    let stride = inner;
    for (let axis = last; axis >= 0; axis--) {
      const size = sizes[axis] ?? 1;
      source += ((starts[axis] ?? 0) + (rest % size)) * stride;
      rest = Math.floor(rest / size);
      stride *= shape[axis] ?? 1;
    }
    block.set(values.subarray(source, source + runLength), target);
  }
  return { dtype, shape: sizes, values: block };
}
