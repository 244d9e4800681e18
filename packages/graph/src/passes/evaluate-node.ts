import { copyValues } from "../capture/tensor-values.js";
import type { Constant, Node, TensorValues } from "../ir/graph.js";

// Values that are only handed on are shared, not copied: nobody changes the values of a constant.
type Evaluate = (inputs: readonly Constant[], node: Node) => TensorValues | undefined;

const unary: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Exp: Math.exp,
  Log: Math.log,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
  Tanh: Math.tanh,
};

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  AddV2: (a, b) => a + b,
  BiasAdd: (a, b) => a + b,
  Maximum: Math.max,
  Minimum: Math.min,
  Mul: (a, b) => a * b,
  Pow: (a, b) => a ** b,
  RealDiv: (a, b) => a / b,
  Sub: (a, b) => a - b,
};

function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
}

// Steps through `shape` in row-major order and gives, for each element, its offset under other strides.
function mapOffsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const offsets = new Int32Array(count);
  const position = shape.map(() => 0);
  let offset = start;
  for (let index = 0; index < count; index++) {
    offsets[index] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      offset += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        position[axis] = next;
        break;
      }
      offset -= next * (strides[axis] ?? 0);
      position[axis] = 0;
    }
  }
  return offsets;
}

function gather(values: TensorValues, offsets: Int32Array): TensorValues {
  const gathered = createValues(values, offsets.length);
  for (let index = 0; index < offsets.length; index++) gathered[index] = values[offsets[index] ?? 0] ?? Number.NaN;
  return gathered;
}

function createValues(like: TensorValues, length: number): TensorValues {
  if (like instanceof Float32Array) return new Float32Array(length);
  return like instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

function broadcast(constant: Constant, shape: readonly number[]): TensorValues {
  if (constant.shape.length === shape.length && shape.every((size, axis) => size === constant.shape[axis])) {
    return constant.values;
  }
  const missing = shape.length - constant.shape.length;
  const own = stridesOf(constant.shape);
  const strides = shape.map((_, axis) =>
    axis < missing || constant.shape[axis - missing] === 1 ? 0 : (own[axis - missing] ?? 0),
  );
  return gather(constant.values, mapOffsets(shape, strides));
}

function staticShape(node: Node): readonly number[] | undefined {
  const shape = node.outputs[0]?.shape.flatMap((size) => size ?? []);
  return shape?.length === node.outputs[0]?.shape.length ? shape : undefined;
}

const evaluators: Readonly<Record<string, Evaluate>> = {
  Identity: ([x]) => x?.values,
  Reshape: ([x]) => x?.values,
  Cast: ([x], node) => {
    const to = node.outputs[0]?.dtype;
    if (x === undefined || to === undefined || to === x.dtype) return x?.values;
    const whole = to === "bool" ? x.values.map((value) => Number(value !== 0)) : x.values.map(Math.trunc);
    return copyValues(to, to === "float32" ? x.values : whole);
  },
  Transpose: ([x, permutation], node) => {
    const shape = staticShape(node);
    if (x === undefined || permutation === undefined || shape === undefined) return undefined;
    const own = stridesOf(x.shape);
    return gather(
      x.values,
      mapOffsets(
        shape,
        Array.from(permutation.values, (axis) => own[axis] ?? 0),
      ),
    );
  },
  Slice: ([x, begin], node) => {
    const shape = staticShape(node);
    if (x === undefined || begin === undefined || shape === undefined) return undefined;
    const own = stridesOf(x.shape);
    const start = own.reduce((offset, stride, axis) => offset + stride * (begin.values[axis] ?? 0), 0);
    return gather(x.values, mapOffsets(shape, own, start));
  },
};

function combine(left: TensorValues, right: TensorValues, of: (a: number, b: number) => number): TensorValues {
  const values = createValues(left, left.length);
  for (let index = 0; index < values.length; index++) values[index] = of(left[index] ?? 0, right[index] ?? 0);
  return values;
}

function evaluateValues(inputs: readonly Constant[], node: Node, shape: readonly number[]): TensorValues | undefined {
  const [a, b] = inputs;
  const one = unary[node.op];
  if (one !== undefined && a?.dtype === "float32") return a.values.map(one);
  const two = binary[node.op];
  if (two !== undefined && a !== undefined && b !== undefined) {
    if (a.dtype === "bool" || (a.dtype === "int32" && !["AddV2", "Mul", "Sub"].includes(node.op))) return undefined;
    return combine(broadcast(a, shape), broadcast(b, shape), two);
  }
  return evaluators[node.op]?.(inputs, node);
}

/**
 * Computes a node whose inputs are all constants. Knows the operations that stand between weights and the places
 * where they are used; gives `undefined` for any other.
 */
export function evaluateNode(node: Node, inputs: readonly Constant[]): Constant | undefined {
  const output = node.outputs[0];
  const shape = staticShape(node);
  if (output === undefined || shape === undefined || node.outputs.length !== 1 || inputs.length === 0) return undefined;
  const values = evaluateValues(inputs, node, shape);
  return values === undefined ? undefined : { dtype: output.dtype, shape, values };
}
