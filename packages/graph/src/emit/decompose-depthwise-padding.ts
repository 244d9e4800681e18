import { attribute } from "../ir/attribute.js";
import type { Graph, Node } from "../ir/graph.js";
import { uniqueName } from "./separate-outputs.js";

/**
 * Pads by a `PadV2` what a `DepthwiseConv2dNative` pads by explicit numbers: the memory optimizer of TensorFlow 2.21
 * loses these and ends the process.
 */
export function decomposeDepthwisePadding(graph: Graph): Graph {
  const names = new Set(graph.nodes.map(({ name }) => name));
  const shapes = new Map(graph.nodes.map(({ name, outputs }) => [name, outputs]));
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const paddings = node.attributes["explicit_paddings"];
    const [input, ...others] = node.inputs;
    const info = input === undefined ? undefined : shapes.get(input.node)?.[input.output];
    if (node.op !== "DepthwiseConv2dNative" || paddings?.kind !== "ints" || paddings.value.length === 0) return [node];
    if (input === undefined || info === undefined) return [node];
    const claim = (suffix: string): string => {
      const name = uniqueName(`${node.name}/${suffix}`, names);
      names.add(name);
      return name;
    };
    const [sizes, zero, padded] = [claim("paddings"), claim("zero"), claim("PadV2")];
    const { explicit_paddings: _, ...attributes } = node.attributes;
    const plain = { attributes: {}, layer: node.layer };
    const shape = info.shape.map((size, axis) => {
      const [before = 0, after = 0] = paddings.value.slice(2 * axis, 2 * axis + 2);
      return size === null ? null : size + before + after;
    });
    const constant = { dtype: "int32", shape: [4, 2], values: Int32Array.from(paddings.value) } as const;
    const nought = { dtype: "float32", shape: [], values: Float32Array.of(0) } as const;
    return [
      { ...plain, name: sizes, op: "Const", inputs: [], outputs: [{ dtype: "int32", shape: [4, 2] }], constant },
      { ...plain, name: zero, op: "Const", inputs: [], outputs: [{ dtype: "float32", shape: [] }], constant: nought },
      {
        ...plain,
        name: padded,
        op: "PadV2",
        inputs: [input, { node: sizes, output: 0 }, { node: zero, output: 0 }],
        outputs: [{ dtype: info.dtype, shape }],
      },
      {
        ...node,
        inputs: [{ node: padded, output: 0 }, ...others],
        attributes: { ...attributes, padding: attribute.string("VALID") },
      },
    ];
  });
  return { ...graph, nodes };
}
