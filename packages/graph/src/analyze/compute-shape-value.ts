import type { Node } from "../ir/graph.js";

/** What is known of an input of a node: its shape, and its values where it holds sizes. */
interface Operand {
  readonly shape: readonly number[] | undefined;
  readonly values: readonly number[] | undefined;
}

/** Larger constants are no sizes. */
const mostValues = 64;

type Compute = (inputs: readonly (readonly number[])[], node: Node) => readonly number[];

/** Operations by which shapes are computed from shapes, on scalars and vectors. */
const computations: Readonly<Record<string, Compute>> = {
  AddV2: pairwise((a, b) => a + b),
  Sub: pairwise((a, b) => a - b),
  Mul: pairwise((a, b) => a * b),
  FloorDiv: pairwise((a, b) => Math.floor(a / b)),
  Maximum: pairwise(Math.max),
  Minimum: pairwise(Math.min),
  Cast: ([values = []]) => values,
  Identity: ([values = []]) => values,
  Reshape: ([values = []]) => values,
  Squeeze: ([values = []]) => values,
  ExpandDims: ([values = []]) => values,
  Pack: (inputs) => inputs.flat(),
  ConcatV2: (inputs) => inputs.slice(0, -1).flat(),
  Prod: ([values = []]) => [values.reduce((product, value) => product * value, 1)],
  GatherV2: ([values = [], indices = []]) => indices.map((index) => values[index] ?? Number.NaN),
  StridedSlice: ([values = [], begin = [], end = [], strides = []], node) =>
    sliceVector(
      values,
      maskedAt(node, "begin_mask") ? 0 : begin[0],
      maskedAt(node, "end_mask") ? undefined : end[0],
      strides[0],
    ),
};

/**
 * The values of a node that computes with sizes; `undefined` for any other, and where a size is not known.
 */
export function computeShapeValue(node: Node, inputs: readonly Operand[]): readonly number[] | undefined {
  if (node.op === "Shape") return inputs[0]?.shape;
  const { constant, outputs } = node;
  if (constant !== undefined) {
    const isSizes = constant.dtype === "int32" && constant.values.length <= mostValues;
    return isSizes ? Array.from(constant.values) : undefined;
  }
  const values = inputs.flatMap((input) => (input.values === undefined ? [] : [input.values]));
  const isKnown = outputs[0]?.dtype === "int32" && values.length === inputs.length;
  return isKnown ? computations[node.op]?.(values, node) : undefined;
}

function pairwise(compute: (a: number, b: number) => number): Compute {
  return ([a = [], b = []]) => {
    const length = Math.max(a.length, b.length);
    return Array.from({ length }, (_, at) => compute(a[a.length === 1 ? 0 : at] ?? 0, b[b.length === 1 ? 0 : at] ?? 0));
  };
}

function maskedAt(node: Node, mask: string): boolean {
  const attribute = node.attributes[mask];
  return attribute?.kind === "int" && (attribute.value & 1) === 1;
}

function sliceVector(values: readonly number[], begin = 0, end = values.length, stride = 1): readonly number[] {
  const start = begin < 0 ? begin + values.length : begin;
  // Of a single element, taken by shrink_axis_mask, the end may be 0: one behind the last.
  const stop = end < 0 ? end + values.length : Math.max(end, start + 1);
  return values.slice(start, stop).filter((_, at) => at % stride === 0);
}
