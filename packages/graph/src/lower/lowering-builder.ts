import type { Dtype } from "@ckpt/manifest";

import type { ProgramConstant, ProgramWeight, SizedTensor } from "../capture/captured-program.js";
import { attribute } from "../ir/attribute.js";
import type { Constant, Node, ScanStep, TensorValues } from "../ir/graph.js";
import { equalSizes, isStaticSize, type Size, staticSize, toSymbolicShape } from "../ir/size.js";
import type { Attributes, LoweringBuilder, Value } from "./lowering.js";

/** The builder with what only the driver of the lowering uses. */
export interface GraphBuilder extends LoweringBuilder {
  readonly nodes: readonly Node[];
  /** Nodes added from now on belong to this layer. */
  enterLayer(layer: string): void;
  placeholder(name: string, tensor: SizedTensor): Value;
  weight(weight: ProgramWeight): Value;
  constant(constant: ProgramConstant): Value;
  scan(inputs: readonly Value[], outputs: readonly SizedTensor[], step: ScanStep): Value[];
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
  let batchSource: Value | undefined;

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

  // The batch size as an int32 scalar, taken from the first input whose leading dimension it is.
  const batchSize = (): Value => {
    if (batchSource === undefined) throw new TypeError("A size depends on the batch but no input has one.");
    const shape = add("Shape", [batchSource], { dtype: "int32", sizes: [staticSize(batchSource.sizes.length)] });
    return add(
      "StridedSlice",
      [shape, ints([0]), ints([1]), ints([1])],
      { dtype: "int32", sizes: scalarSizes },
      {
        shrink_axis_mask: attribute.int(1),
      },
    );
  };
  const sizeScalar = (size: Size): Value => {
    if (isStaticSize(size)) return int(size.offset);
    const scalar = { dtype: "int32", sizes: scalarSizes } as const;
    const scaled = size.scale === 1 ? batchSize() : add("Mul", [batchSize(), int(size.scale)], scalar);
    return size.offset === 0 ? scaled : add("AddV2", [scaled, int(size.offset)], scalar);
  };
  const sizes = (list: readonly Size[]): Value => {
    if (list.every(isStaticSize)) return ints(list.map((size) => size.offset));
    return add(
      "Pack",
      list.map(sizeScalar),
      { dtype: "int32", sizes: [staticSize(list.length)] },
      {
        axis: attribute.int(0),
      },
    );
  };

  return {
    nodes,
    add,
    addMany: (op, inputs, outputs, attributes = {}) => addNode(inLayer(op), op, inputs, outputs, { attributes }),
    float: (value) => literal("float32", [], Float32Array.of(value)),
    int,
    ints,
    intPairs: (rows) => literal("int32", [rows.length, 2], Int32Array.from(rows.flat())),
    sizes,
    reshape: (value, target) => {
      if (
        value.sizes.length === target.length &&
        target.every((size, axis) => equalSizes(size, value.sizes[axis] ?? size))
      ) {
        return value;
      }
      // One open size is what the other sizes leave; only more than one has to be computed.
      const open = target.filter((size) => !isStaticSize(size)).length;
      const shape = open === 1 ? ints(target.map((size) => (isStaticSize(size) ? size.offset : -1))) : sizes(target);
      return add("Reshape", [value, shape], { dtype: value.dtype, sizes: target });
    },
    enterLayer: (path) => {
      layer = path;
    },
    placeholder: (name, tensor) => {
      const value = single(addNode(name, "Placeholder", [], [tensor], {}));
      const leading = tensor.sizes[0];
      if (leading !== undefined && leading.scale === 1 && leading.offset === 0) batchSource ??= value;
      return value;
    },
    scan: (inputs, outputs, step) => addNode(inLayer("Scan"), "Scan", inputs, outputs, { scan: step }),
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
