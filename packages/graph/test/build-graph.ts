import type { Dtype } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import type { Attribute, Graph, Node, SymbolicShape, TensorValues, ValueInfo, ValueRef } from "../src/ir/graph.js";

/** A graph written by hand, node by node. */
export interface GraphBuilder {
  readonly input: (name: string, dtype: Dtype, shape: SymbolicShape) => ValueRef;
  readonly constant: (tensor: tf.Tensor) => ValueRef;
  /** Adds a node and gives its first output. */
  readonly node: (
    op: string,
    inputs: readonly ValueRef[],
    outputs: readonly ValueInfo[],
    attributes?: Readonly<Record<string, Attribute>>,
    layer?: string,
  ) => ValueRef;
  readonly build: (outputs: Readonly<Record<string, ValueRef>>) => Graph;
}

export function buildGraph(): GraphBuilder {
  const nodes: Node[] = [];
  const inputs: { name: string; node: string }[] = [];
  const add = (node: Omit<Node, "name">): ValueRef => {
    const name = `scope/${node.op.toLowerCase()}_${nodes.length}`;
    nodes.push({ name, ...node });
    return { node: name, output: 0 };
  };
  return {
    input: (name, dtype, shape) => {
      const value = add({ op: "Placeholder", inputs: [], attributes: {}, outputs: [{ dtype, shape }], layer: "" });
      inputs.push({ name, node: value.node });
      return value;
    },
    constant: (tensor) => {
      const { shape } = tensor;
      const dtype = dtypeOf(tensor);
      const constant = { dtype, shape, values: valuesOf(tensor) };
      return add({ op: "Const", inputs: [], attributes: {}, outputs: [{ dtype, shape }], layer: "", constant });
    },
    node: (op, nodeInputs, outputs, attributes = {}, layer = "layer") =>
      add({ op, inputs: nodeInputs, attributes, outputs, layer }),
    build: (outputs) => ({
      inputs,
      outputs: Object.entries(outputs).map(([name, value]) => ({ name, value })),
      nodes,
    }),
  };
}

export function dtypeOf(tensor: tf.Tensor): Dtype {
  const { dtype } = tensor;
  if (dtype === "complex64") {
    throw new TypeError("no complex tensors here");
  }
  return dtype;
}

export function valuesOf(tensor: tf.Tensor): TensorValues {
  const values = tensor.dataSync<"float32" | "int32" | "bool">();
  // A cast on the cpu backend may leave the values in an array of their former type.
  return tensor.dtype === "float32" ? Float32Array.from(values) : values;
}

/** Values without a pattern, the same in every run. */
export function wave(shape: number[], scale = 1, offset = 0): tf.Tensor {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const values = Float32Array.from({ length: size }, (_, index) => offset + scale * Math.sin(1.7 * index + 0.3));
  return tf.tensor(values, shape);
}
