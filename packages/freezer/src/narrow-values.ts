import type { WeightData } from "@ckpt/graph";
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
  const refuse = (dtype: string): never => {
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: ["float32", "int32", "bool"] });
  };
  const asFloats = (values: Float32Array): WeightData => ({ dtype: "float32", shape, values });
  const asIntegers = (values: Int32Array): WeightData => ({ dtype: "int32", shape, values });
  switch (tensor.dtype) {
    case "float32":
      return asFloats(tensor.values);
    case "float64": {
      const values = Float32Array.from(tensor.values);
      if (values.some((value, at) => Number.isFinite(tensor.values[at]) && !Number.isFinite(value))) {
        return refuse("float64 beyond float32");
      }
      return asFloats(values);
    }
    case "float16":
      return asFloats(Float32Array.from(tensor.values, widenHalf));
    case "bfloat16":
      return asFloats(new Float32Array(Uint32Array.from(tensor.values, (bits) => bits << 16).buffer));
    case "int32":
      return asIntegers(tensor.values);
    case "int64":
    case "uint64":
    case "uint32": {
      const values = Int32Array.from(tensor.values as ArrayLike<number | bigint>, Number);
      if (values.some((value, at) => value !== Number(tensor.values[at])))
        return refuse(`${tensor.dtype} beyond int32`);
      return asIntegers(values);
    }
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
      return asIntegers(Int32Array.from(tensor.values));
    case "bool":
      return { dtype: "bool", shape, values: tensor.values };
    case "string":
    case "complex64":
    case "complex128":
    case "qint8":
    case "quint8":
    case "qint16":
    case "quint16":
    case "qint32":
      return refuse(tensor.dtype);
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

/** A half-precision number by its bits. Reference: IEEE 754, binary16. */
function widenHalf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
