import type { Dtype } from "@ckpt/manifest";

import type { ProgramConstant, ProgramWeight, SizedTensor } from "../capture/captured-program.js";
import { copyValues } from "../capture/tensor-values.js";
import type { Constant, Node, ScanStep, TensorValues } from "../ir/graph.js";
import { addSizes, equalSizes, isStaticSize, scaleSize, type Size, staticSize, toSymbolicShape } from "../ir/size.js";
import type { Attributes, LoweringBuilder, Value } from "./lowering.js";
import { createSizeNodes } from "./size-nodes.js";

/** The builder with what only the driver of the lowering uses. */
export interface GraphBuilder extends LoweringBuilder {
  readonly nodes: readonly Node[];
  /** Nodes added from now on belong to this layer. */
  enterLayer(layer: string): void;
  placeholder(name: string, tensor: SizedTensor): Value;
  weight(weight: ProgramWeight): Value;
  constant(constant: ProgramConstant): Value;
  scan(inputs: readonly Value[], outputs: readonly SizedTensor[], step: ScanStep): Value[];
  /** From now on the symbols among the sizes of this value may be read from it. */
  learnSizes(value: Value): void;
  /** The symbols that can be read. */
  knownSymbols(): readonly number[];
}

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
  const copies = new Map<string, number>();
  let layer = "";

  const addNode = (
    name: string,
    op: string,
    inputs: readonly Value[],
    outputs: readonly SizedTensor[],
    extra: {
      attributes?: Attributes;
      constant?: Constant;
      scan?: ScanStep;
    },
  ): Value[] => {
    const legal = toNodeName(name);
    // An unrolled layer has thousands of nodes of one name: the search goes on where it last ended.
    let copy = copies.get(legal) ?? 0;
    let unique = copy === 0 ? legal : `${legal}_${copy}`;
    while (names.has(unique)) unique = `${legal}_${++copy}`;
    names.add(unique);
    copies.set(legal, copy);
    nodes.push({
      name: unique,
      op,
      inputs: inputs.map((input) => input.ref),
      attributes: extra.attributes ?? {},
      outputs: outputs.map(({ dtype, sizes }) => ({ dtype, shape: toSymbolicShape(sizes) })),
      layer,
      ...(extra.constant === undefined ? {} : { constant: extra.constant }),
      ...(extra.scan === undefined ? {} : { scan: extra.scan }),
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

  const sizeNodes = createSizeNodes({ add, int, ints }, () => layer);
  const reshape: LoweringBuilder["reshape"] = (value, target) => {
    if (
      value.sizes.length === target.length &&
      target.every((size, axis) => equalSizes(size, value.sizes[axis] ?? size))
    ) {
      return value;
    }
    // One size is what the others leave: one that cannot be read, else the last open one.
    const unknown = target.findIndex((size) => !sizeNodes.isKnown(size));
    const free = unknown === -1 ? target.findLastIndex((size) => !isStaticSize(size)) : unknown;
    return add("Reshape", [value, sizeNodes.vector(target, free)], { dtype: value.dtype, sizes: target });
  };
  // The numbers from `start` on, one for each element of a shape that is open along one axis and 1 along the others.
  const count = (first: Value, start: number, step: number, shape: readonly Size[]): Value => {
    const size = shape.find((each) => !isStaticSize(each)) ?? staticSize(1);
    const end = sizeNodes.scalar(addSizes(scaleSize(size, step), staticSize(start)));
    const limit = first.dtype === "int32" ? end : add("Cast", [end], { dtype: first.dtype, sizes: [] });
    const delta = literal(first.dtype, [], copyValues(first.dtype, [step]));
    return add("Range", [first, limit, delta], { dtype: first.dtype, sizes: [size] });
  };

  return {
    nodes,
    add,
    addMany: (op, inputs, outputs, attributes = {}) => addNode(inLayer(op), op, inputs, outputs, { attributes }),
    float: (value) => literal("float32", [], Float32Array.of(value)),
    int,
    ints,
    intPairs: (rows) => literal("int32", [rows.length, 2], Int32Array.from(rows.flat())),
    sizes: (list) => sizeNodes.vector(list),
    reshape,
    // The latest value is the one that a fused operation ends with; an input is there whatever is fused.
    learnSizes: (value) => sizeNodes.learn(value, false),
    knownSymbols: () => sizeNodes.known(),
    enterLayer: (path) => {
      layer = path;
    },
    placeholder: (name, tensor) => {
      const value = single(addNode(name, "Placeholder", [], [tensor], {}));
      sizeNodes.learn(value, true);
      return value;
    },
    scan: (inputs, outputs, step) => addNode(inLayer("Scan"), "Scan", inputs, outputs, { scan: step }),
    weight: ({ key, dtype, shape, values }) => addConstant(key, { dtype, shape, values, weight: key }),
    constant: ({ dtype, sizes: shape, values, step, isRow, layer: path }) => {
      layer = path;
      if (shape.every(isStaticSize)) {
        return literal(
          dtype,
          shape.map((size) => size.offset),
          values,
        );
      }
      if (isRow) {
        const [times = staticSize(1), ...rest] = shape;
        const row = literal(dtype, [1, ...rest.map((size) => size.offset)], values);
        const repeats = sizeNodes.vector([times, ...rest.map(() => staticSize(1))]);
        return add("Tile", [row, repeats], { dtype, sizes: shape });
      }
      const start = literal(dtype, [], values);
      return step === 0
        ? add("Fill", [sizeNodes.vector(shape), start], { dtype, sizes: shape })
        : reshape(count(start, values[0] ?? 0, step, shape), shape);
    },
  };
}
