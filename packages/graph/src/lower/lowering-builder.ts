import { CkptError, type Dtype } from "@ckpt/manifest";

import type { ProgramConstant, ProgramWeight, SizedTensor } from "../capture/captured-program.js";
import { attribute } from "../ir/attribute.js";
import type { Constant, Node, TensorValues } from "../ir/graph.js";
import {
  equalSizes,
  findSymbol,
  isStaticSize,
  listSymbols,
  type Size,
  staticSize,
  toSymbolicShape,
} from "../ir/size.js";
import type { Attributes, LoweringBuilder, Value } from "./lowering.js";

/** The builder with what only the driver of the lowering uses. */
export interface GraphBuilder extends LoweringBuilder {
  readonly nodes: readonly Node[];
  /** Nodes added from now on belong to this layer. */
  enterLayer(layer: string): void;
  placeholder(name: string, tensor: SizedTensor): Value;
  weight(weight: ProgramWeight): Value;
  constant(constant: ProgramConstant): Value;
  /** From now on the symbols among the sizes of this value may be read from it. */
  learnSizes(value: Value): void;
  /** The symbols that can be read. */
  knownSymbols(): readonly number[];
}

/** An axis of a value, at which a size can be read. */
interface SizeSource {
  readonly value: Value;
  readonly axis: number;
  readonly isInput: boolean;
}

const scalarSizes: readonly Size[] = [];

/** A text in the alphabet of TensorFlow's node names. */
function toNodeName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_./-]/g, "_");
  return /^[A-Za-z0-9.]/.test(name) ? name : `n${name}`;
}

function single(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new TypeError("A node needs an output.");
  return value;
}

/** Starts an empty graph. */
export function createGraphBuilder(): GraphBuilder {
  const nodes: Node[] = [];
  const names = new Set<string>();
  let layer = "";
  const sources = new Map<number, SizeSource>();

  const addNode = (
    name: string,
    op: string,
    inputs: readonly Value[],
    outputs: readonly SizedTensor[],
    extra: {
      attributes?: Attributes;
      constant?: Constant;
    },
  ): Value[] => {
    const legal = toNodeName(name);
    let unique = legal;
    for (let copy = 1; names.has(unique); copy++) unique = `${legal}_${copy}`;
    names.add(unique);
    nodes.push({
      name: unique,
      op,
      inputs: inputs.map((input) => input.ref),
      attributes: extra.attributes ?? {},
      outputs: outputs.map(({ dtype, sizes }) => ({ dtype, shape: toSymbolicShape(sizes) })),
      layer,
      ...(extra.constant === undefined ? {} : { constant: extra.constant }),
    });
    const dependsOnInput = op === "Placeholder" || inputs.some((input) => input.dependsOnInput);
    return outputs.map(({ dtype, sizes }, output) => ({ dtype, sizes, dependsOnInput, ref: { node: unique, output } }));
  };
  const inLayer = (op: string): string => (layer === "" ? op : `${layer}/${op}`);
  const addConstant = (name: string, constant: Constant): Value =>
    single(
      addNode(name, "Const", [], [{ dtype: constant.dtype, sizes: constant.shape.map(staticSize) }], { constant }),
    );
  const literal = (dtype: Dtype, shape: readonly number[], values: TensorValues): Value =>
    addConstant(inLayer("Const"), { dtype, shape, values });

  const add: LoweringBuilder["add"] = (op, inputs, output, attributes = {}) =>
    single(addNode(inLayer(op), op, inputs, [output], { attributes }));
  const int = (value: number): Value => literal("int32", [], Int32Array.of(value));
  const ints = (values: readonly number[]): Value => literal("int32", [values.length], Int32Array.from(values));

  const scalar = { dtype: "int32", sizes: scalarSizes } as const;
  const readSize = ({ value, axis }: SizeSource): Value => {
    const shape = add("Shape", [value], { dtype: "int32", sizes: [staticSize(value.sizes.length)] });
    return add("StridedSlice", [shape, ints([axis]), ints([axis + 1]), ints([1])], scalar, {
      shrink_axis_mask: attribute.int(1),
    });
  };
  const combine = (op: string, terms: readonly Value[]): Value =>
    terms.slice(1).reduce((left, right) => add(op, [left, right], scalar), single(terms));
  const sizeScalar = (size: Size): Value => {
    if (isStaticSize(size)) return int(size.offset);
    const terms = size.terms.map(({ coefficient, symbols }) =>
      combine("Mul", [
        ...symbols.flatMap((symbol) => sources.get(symbol) ?? []).map(readSize),
        ...(coefficient === 1 ? [] : [int(coefficient)]),
      ]),
    );
    return combine("AddV2", [...terms, ...(size.offset === 0 ? [] : [int(size.offset)])]);
  };
  const isKnown = (size: Size): boolean => listSymbols(size).every((symbol) => sources.has(symbol));
  const sizes = (list: readonly Size[], free?: number): Value => {
    if (list.every((size, position) => isStaticSize(size) || position === free)) {
      return ints(list.map((size, position) => (position === free ? -1 : size.offset)));
    }
    if (!list.every((size, position) => isKnown(size) || position === free)) {
      throw new CkptError("UNSUPPORTED_SHAPE", {
        where: layer === "" ? "the captured function" : layer,
        shape: toSymbolicShape(list),
        reason: "an open size follows from no size of a tensor before it",
      });
    }
    return add(
      "Pack",
      list.map((size, position) => (position === free ? int(-1) : sizeScalar(size))),
      { dtype: "int32", sizes: [staticSize(list.length)] },
      { axis: attribute.int(0) },
    );
  };
  const learn = (value: Value, isInput: boolean): void => {
    for (const [axis, size] of value.sizes.entries()) {
      const symbol = findSymbol(size);
      if (symbol === undefined || sources.get(symbol)?.isInput === true) continue;
      sources.set(symbol, { value, axis, isInput });
    }
  };

  return {
    nodes,
    add,
    addMany: (op, inputs, outputs, attributes = {}) => addNode(inLayer(op), op, inputs, outputs, { attributes }),
    float: (value) => literal("float32", [], Float32Array.of(value)),
    int,
    ints,
    intPairs: (rows) => literal("int32", [rows.length, 2], Int32Array.from(rows.flat())),
    sizes: (list) => sizes(list),
    reshape: (value, target) => {
      if (
        value.sizes.length === target.length &&
        target.every((size, axis) => equalSizes(size, value.sizes[axis] ?? size))
      ) {
        return value;
      }
      // One size is what the others leave: one that cannot be read, else the last open one.
      const unknown = target.findIndex((size) => !isKnown(size));
      const free = unknown === -1 ? target.findLastIndex((size) => !isStaticSize(size)) : unknown;
      return add("Reshape", [value, sizes(target, free)], { dtype: value.dtype, sizes: target });
    },
    // The latest value is the one that a fused operation ends with; an input is there whatever is fused.
    learnSizes: (value) => learn(value, false),
    knownSymbols: () => [...sources.keys()],
    enterLayer: (path) => {
      layer = path;
    },
    placeholder: (name, tensor) => {
      const value = single(addNode(name, "Placeholder", [], [tensor], {}));
      learn(value, true);
      return value;
    },
    weight: ({ key, dtype, shape, values }) => addConstant(key, { dtype, shape, values, weight: key }),
    constant: ({ dtype, sizes: shape, values, layer: path }) => {
      layer = path;
      if (shape.every(isStaticSize))
        return literal(
          dtype,
          shape.map((size) => size.offset),
          values,
        );
      return add("Fill", [sizes(shape), literal(dtype, [], values)], { dtype, sizes: shape });
    },
  };
}
