import type { Graph, Node, SymbolicShape, ValueRef } from "../ir/graph.js";
import { computeShapeValue } from "./compute-shape-value.js";

/** The shape of a value for one example; `undefined` where it depends on more than the batch. */
export type ExampleShapeOf = (value: ValueRef) => readonly number[] | undefined;

/** What is known of an input of a node. */
interface KnownInput {
  readonly symbolic: SymbolicShape;
  readonly shape: readonly number[] | undefined;
  readonly values: readonly number[] | undefined;
}

/**
 * Follows shapes through a graph with a batch of 1, which is what the unknown leading size of an input is. What a
 * reshape or a computed shape makes of the batch, such as batch times time steps, is followed too.
 */
export function resolveExampleShapes(graph: Graph): ExampleShapeOf {
  const known = new Map<string, KnownInput>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => known.get(toKey(input)) ?? nothingKnown);
    for (const [output, { shape: symbolic }] of node.outputs.entries()) {
      const shape = resolveShape(node, symbolic, inputs);
      const values = output === 0 ? computeShapeValue(node, inputs) : undefined;
      known.set(toKey({ node: node.name, output }), { symbolic, shape, values });
    }
  }
  return (value) => known.get(toKey(value))?.shape;
}

const nothingKnown: KnownInput = { symbolic: [], shape: undefined, values: undefined };

function toKey({ node, output }: ValueRef): string {
  return `${node}:${output}`;
}

/** Which input of an operation is the shape of its output. */
const shapeInputs: Readonly<Record<string, number>> = {
  BroadcastTo: 1,
  Conv2DBackpropInput: 0,
  Conv3DBackpropInputV2: 0,
  Fill: 0,
  ScatterNd: 2,
};

function resolveShape(
  node: Node,
  symbolic: SymbolicShape,
  inputs: readonly KnownInput[],
): readonly number[] | undefined {
  const fixed = symbolic.flatMap((size) => size ?? []);
  if (fixed.length === symbolic.length) return fixed;
  const isOneOpen = fixed.length === symbolic.length - 1;
  const fill = (size: number): readonly number[] => symbolic.map((each) => each ?? size);
  if (node.op === "Placeholder") return isOneOpen && symbolic[0] === null ? fill(1) : undefined;

  const [first, second] = inputs;
  const given = shapeInputs[node.op];
  if (given !== undefined) return inputs[given]?.values;
  if (node.op === "Tile") return multiply(first?.shape, second?.values);
  if (node.op === "Reshape") {
    if (first?.shape === undefined) return undefined;
    return isOneOpen ? fill(countElements(first.shape) / countElements(fixed)) : second?.values;
  }
  // The open sizes of its parts add up.
  if (node.op === "ConcatV2" && symbolic.at(inputs.at(-1)?.values?.[0] ?? 0) === null) return undefined;
  // Any other operation hands on the open size of its inputs, if they have but one.
  const [open, other] = findOpenSizes(inputs);
  return open === undefined || other !== undefined ? undefined : fill(open);
}

/** What the open sizes of a node's inputs are, each once; none where one of them is not known. */
function findOpenSizes(inputs: readonly KnownInput[]): readonly number[] {
  const sizes = inputs.flatMap(({ symbolic, shape }) =>
    symbolic.flatMap((size, axis) => (size === null ? [shape?.[axis]] : [])),
  );
  const known = sizes.flatMap((size) => size ?? []);
  return known.length === sizes.length ? [...new Set(known)] : [];
}

function multiply(
  shape: readonly number[] | undefined,
  multiples: readonly number[] | undefined,
): readonly number[] | undefined {
  return multiples === undefined ? undefined : shape?.map((size, axis) => size * (multiples[axis] ?? 1));
}

/** The number of elements of a tensor of this shape. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
