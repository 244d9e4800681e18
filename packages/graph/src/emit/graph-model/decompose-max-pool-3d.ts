import { attribute } from "../../ir/attribute.js";
import type { Attribute, Graph, Node, SymbolicShape, ValueRef } from "../../ir/graph.js";
import { uniqueName } from "../separate-outputs.js";

/**
 * Replaces 3-D max pooling by 2-D pooling over height and width, then over depth: the kernel of TensorFlow.js' wasm
 * backend is wrong for a window of negative numbers only. Left as it is where a size besides the batch is open.
 */
export function decomposeMaxPool3d(graph: Graph): Graph {
  const names = new Set(graph.nodes.map((node) => node.name));
  const shapes = new Map(graph.nodes.map((node) => [node.name, node.outputs[0]?.shape]));
  const nodes = graph.nodes.flatMap((node) => {
    const from = shapes.get(node.inputs[0]?.node ?? "");
    const to = node.outputs[0]?.shape;
    return node.op === "MaxPool3D" && isOpenInBatchOnly(from) && isOpenInBatchOnly(to)
      ? decompose(node, from, to, names)
      : [node];
  });
  return { ...graph, nodes };
}

/** `[batch, ...]` with every size but the first known. */
type BatchShape = readonly [number | null, ...number[]];

function isOpenInBatchOnly(shape: SymbolicShape | undefined): shape is BatchShape {
  return shape !== undefined && shape.slice(1).every((size) => size !== null);
}

/** The window of a 2-D pooling. */
function pooling(
  node: Node,
  pick: (window: readonly number[]) => readonly [number, number],
): Record<string, Attribute> {
  const window = (name: string): Attribute => {
    const found = node.attributes[name];
    const [first, second] = pick(found?.kind === "ints" ? found.value : []);
    return attribute.ints([1, first, second, 1]);
  };
  return {
    ksize: window("ksize"),
    strides: window("strides"),
    padding: node.attributes["padding"] ?? attribute.string("VALID"),
    data_format: attribute.string("NHWC"),
  };
}

function decompose(node: Node, from: BatchShape, to: BatchShape, names: Set<string>): readonly Node[] {
  const [x] = node.inputs;
  const [batch, depth = 0, height = 0, width = 0, channels = 0] = from;
  const [, , outHeight = 0, outWidth = 0] = to;
  if (x === undefined) return [node];
  const dtype = node.outputs[0]?.dtype ?? "float32";
  const added: Node[] = [];
  const claim = (suffix: string): string => {
    const name = uniqueName(`${node.name}/${suffix}`, names);
    names.add(name);
    return name;
  };
  const add = (each: Omit<Node, "layer">): ValueRef => {
    added.push({ ...each, layer: node.layer });
    return { node: each.name, output: 0 };
  };
  const reshape = (suffix: string, value: ValueRef, shape: readonly number[], name = claim(suffix)): ValueRef => {
    const values = Int32Array.of(-1, ...shape);
    const constant = { dtype: "int32", shape: [values.length], values } as const;
    const target = add({
      name: claim(`${suffix}/shape`),
      op: "Const",
      inputs: [],
      attributes: {},
      outputs: [{ dtype: "int32", shape: constant.shape }],
      constant,
    });
    return add({
      name,
      op: "Reshape",
      inputs: [value, target],
      attributes: {},
      outputs: [{ dtype, shape: [null, ...shape] }],
    });
  };
  const pool = (
    suffix: string,
    value: ValueRef,
    attributes: Record<string, Attribute>,
    shape: SymbolicShape,
  ): ValueRef => add({ name: claim(suffix), op: "MaxPool", inputs: [value], attributes, outputs: [{ dtype, shape }] });

  const images = reshape("images", x, [height, width, channels]);
  const inPlane = pooling(node, (window) => [window[2] ?? 1, window[3] ?? 1]);
  const pooled = pool("plane", images, inPlane, [null, outHeight, outWidth, channels]);
  const layers = reshape("layers", pooled, [depth, outHeight * outWidth, channels]);
  const inDepth = { ...pooling(node, (window) => [window[1] ?? 1, 1]) };
  const result = pool("depth", layers, inDepth, [batch, to[1] ?? 0, outHeight * outWidth, channels]);
  reshape("result", result, to.slice(1) as readonly number[], node.name);
  return added;
}
