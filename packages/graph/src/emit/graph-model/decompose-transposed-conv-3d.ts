import { create } from "@bufbuild/protobuf";

import { attribute } from "../../ir/attribute.js";
import type { Attribute, Constant, Node, ValueRef } from "../../ir/graph.js";
import { type TransposedAxis, transposeAxis } from "../../ir/window-axis.js";
import { type GraphDef, GraphDefSchema, type NodeDef } from "../../proto/gen/tensorflow/graph_pb.js";
import { readTensorContent, shapeOf } from "../../read/tensor-content.js";
import { emitGraphDef } from "../graph-def/emit-graph-def.js";
import { uniqueName } from "../separate-outputs.js";

/**
 * Replaces 3-D transposed convolution, which GraphModel does not have, by a plain one: of the argument with zeros
 * between its elements, by the reversed filter. Left as it is where the filter or a size of the result is not a
 * constant. The last node keeps the name.
 */
export function decomposeTransposedConv3d(graphDef: GraphDef): GraphDef {
  if (!graphDef.node.some((node) => node.op === "Conv3DBackpropInputV2")) return graphDef;
  const nodes = new Map(graphDef.node.map((node) => [node.name, node]));
  const names = new Set(nodes.keys());
  const node = graphDef.node.flatMap((each) => {
    const plan = each.op === "Conv3DBackpropInputV2" ? planOf(each, nodes) : undefined;
    return plan === undefined ? [each] : decompose(each, plan, names);
  });
  return create(GraphDefSchema, { ...graphDef, node });
}

interface Plan {
  readonly strides: readonly number[];
  readonly axes: readonly TransposedAxis[];
  /** Channels of the argument. */
  readonly channels: number;
}

function toRef(input: string): ValueRef {
  const [node = "", output = "0"] = input.split(":");
  return { node, output: Number(output) };
}

/** The elements of an int32 vector made of constants; `undefined` for those that are computed. */
function readVector(node: NodeDef | undefined, nodes: ReadonlyMap<string, NodeDef>): readonly (number | undefined)[] {
  const value = node?.attr["value"]?.value;
  if (node?.op === "Const" && value?.case === "tensor") {
    const { buffer, byteOffset, byteLength } = readTensorContent(value.value, node.name);
    const view = new DataView(buffer, byteOffset, byteLength);
    return Array.from({ length: byteLength / 4 }, (_, index) => view.getInt32(4 * index, true));
  }
  if (node?.op !== "Pack") return [];
  return node.input.map((input) => readVector(nodes.get(toRef(input).node), nodes)[0]);
}

function planOf(node: NodeDef, nodes: ReadonlyMap<string, NodeDef>): Plan | undefined {
  const [sizes = "", filter = ""] = node.input;
  const resultSizes = readVector(nodes.get(toRef(sizes).node), nodes);
  const tensor = nodes.get(toRef(filter).node)?.attr["value"]?.value;
  const strides = node.attr["strides"]?.value;
  const padding = node.attr["padding"]?.value;
  if (tensor?.case !== "tensor" || strides?.case !== "list" || padding?.case !== "s") return undefined;
  const filterShape = shapeOf(tensor.value);
  const spatialStrides = strides.value.i.slice(1, 4).map(Number);
  const mode = new TextDecoder().decode(padding.value) === "SAME" ? "SAME" : "VALID";
  const axes = spatialStrides.flatMap((stride, spatial) => {
    const size = resultSizes[spatial + 1];
    const axis = size === undefined ? undefined : transposeAxis(size, filterShape[spatial] ?? 1, stride, mode);
    return axis ?? [];
  });
  return axes.length === 3 ? { strides: spatialStrides, axes, channels: filterShape[4] ?? 1 } : undefined;
}

/** Nodes are written as IR, which knows how each looks in a GraphDef; what they read stands in as placeholders. */
function decompose(node: NodeDef, { strides, axes, channels }: Plan, names: Set<string>): readonly NodeDef[] {
  const [, filter, dy] = node.input.map(toRef);
  if (filter === undefined || dy === undefined) return [node];
  const written: Node[] = [];
  const write = (suffix: string, op: string, inputs: readonly ValueRef[], more: Partial<Node> = {}): ValueRef => {
    const name = more.name ?? uniqueName(`${node.name}/${suffix}`, names);
    names.add(name);
    const outputs = [{ dtype: more.constant?.dtype ?? "float32", shape: more.constant?.shape ?? [] }] as const;
    written.push({ attributes: {}, layer: "", ...more, name, op, inputs, outputs });
    return { node: name, output: 0 };
  };
  const constant = (suffix: string, value: Constant): ValueRef => write(suffix, "Const", [], { constant: value });
  const ints = (suffix: string, values: readonly number[], shape = [values.length]): ValueRef =>
    constant(suffix, { dtype: "int32", shape, values: Int32Array.from(values) });

  let value = dy;
  const sizes = axes.map(({ size }) => size);
  for (const [spatial, stride] of strides.entries()) {
    if (stride === 1) continue;
    // Zeros beside each element on the axis behind, which a reshape then takes to this one.
    const zeros = write("zeros", "ZerosLike", [value]);
    const parts = [value, ...Array.from({ length: stride - 1 }, () => zeros)];
    const wide = write("beside", "ConcatV2", [...parts, ints("axis", [spatial + 2], [])]);
    sizes[spatial] = (sizes[spatial] ?? 0) * stride;
    value = write("between", "Reshape", [wide, ints("shape", [-1, ...sizes, channels])]);
  }
  if (axes.some(({ after }) => after < 0)) {
    const kept = axes.map(({ after }, spatial) => (after < 0 ? (sizes[spatial] ?? 0) + after : -1));
    value = write("kept", "Slice", [value, ints("begin", [0, 0, 0, 0, 0]), ints("size", [-1, ...kept, -1])]);
  }
  const paddings = [0, 0, ...axes.flatMap(({ before, after }) => [before, Math.max(after, 0)]), 0, 0];
  const zero = constant("zero", { dtype: "float32", shape: [], values: Float32Array.of(0) });
  const padded = write("padded", "PadV2", [value, ints("paddings", paddings, [5, 2]), zero]);
  const reversed = write("reversed", "ReverseV2", [filter, ints("axes", [0, 1, 2])]);
  const turned = write("turned", "Transpose", [reversed, ints("permutation", [0, 1, 2, 4, 3])]);
  const attributes: Readonly<Record<string, Attribute>> = {
    strides: attribute.ints([1, 1, 1, 1, 1]),
    padding: attribute.string("VALID"),
    data_format: attribute.string("NDHWC"),
    dilations: attribute.ints([1, 1, 1, 1, 1]),
  };
  const result = write("result", "Conv3D", [padded, turned], { name: node.name, attributes });

  const sources = [...new Set([filter.node, dy.node])].map((name): Node => {
    const outputs = Array.from({ length: dy.output + 1 }, () => ({ dtype: "float32", shape: [] }) as const);
    return { name, op: "Placeholder", inputs: [], attributes: {}, outputs, layer: "" };
  });
  const graph = {
    inputs: sources.map(({ name }) => ({ name, node: name })),
    outputs: [{ name: node.name, value: result }],
    nodes: [...sources, ...written],
  };
  return emitGraphDef(graph).node.filter(({ op }) => op !== "Placeholder");
}
