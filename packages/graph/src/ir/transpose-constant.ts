import type { Constant, TensorValues } from "./graph.js";

/** A constant with its axes reordered: axis `i` of the result is axis `permutation[i]` of the argument. */
export function transposeConstant(constant: Constant, permutation: readonly number[]): Constant {
  const sourceStrides = rowMajorStrides(constant.shape);
  const shape = permutation.map((axis) => constant.shape[axis] ?? 1);
  // Axes of size 1 move nothing; without them the last one is long, so that the innermost loop is.
  const axes = permutation.filter((axis) => constant.shape[axis] !== 1);
  const [outer, inner] = [axes.slice(0, -1), axes.at(-1)];
  const innerSize = inner === undefined ? 1 : (constant.shape[inner] ?? 1);
  const innerStride = inner === undefined ? 0 : (sourceStrides[inner] ?? 0);
  const values = emptyLike(constant.values);
  const position = outer.map(() => 0);
  let source = 0;
  for (let target = 0; target < values.length; target += innerSize) {
    for (let index = 0; index < innerSize; index++) {
      values[target + index] = constant.values[source + index * innerStride] ?? 0;
    }
    // Counts the outer axes up like an odometer.
    for (let digit = outer.length - 1; digit >= 0; digit--) {
      const [size, stride] = [constant.shape[outer[digit] ?? 0] ?? 1, sourceStrides[outer[digit] ?? 0] ?? 0];
      const next = (position[digit] ?? 0) + 1;
      source += stride;
      if (next < size) {
        position[digit] = next;
        break;
      }
      position[digit] = 0;
      source -= next * stride;
    }
  }
  return { dtype: constant.dtype, shape, values };
}

/** A constant with another shape of the same size. */
export function reshapeConstant(constant: Constant, shape: readonly number[]): Constant {
  return { dtype: constant.dtype, shape, values: constant.values };
}

function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

function emptyLike(values: TensorValues): TensorValues {
  if (values instanceof Float32Array) {
    return new Float32Array(values.length);
  }
  return values instanceof Int32Array ? new Int32Array(values.length) : new Uint8Array(values.length);
}
