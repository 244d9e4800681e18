import { CkptError, type TensorSpec } from "@ckpt/manifest";

import type { Graph, Node, ValueInfo, ValueRef } from "../ir/graph.js";
import { separateOutputs } from "./separate-outputs.js";

/** A named input or output together with the tensor of the GraphDef that carries it, such as `dense/BiasAdd:0`. */
export interface BoundTensorSpec extends TensorSpec {
  readonly tensor: string;
}

/** A signature whose names are bound to tensors of a GraphDef; a `Signature` too. */
export interface BoundSignature {
  readonly inputs: readonly BoundTensorSpec[];
  readonly outputs: readonly BoundTensorSpec[];
}

/** The signature of a graph, bound to the tensors of the GraphDef that `emitGraphDef` makes of it. */
export function bindSignature(graph: Graph): BoundSignature {
  const separated = separateOutputs(graph);
  const nodes = new Map(separated.nodes.map((node) => [node.name, node]));
  const bind = (name: string, value: ValueRef): BoundTensorSpec => {
    const { dtype, shape } = valueInfo(nodes, value);
    return { name, dtype, shape, tensor: `${value.node}:${value.output}` };
  };
  return {
    inputs: separated.inputs.map((input) => bind(input.name, { node: input.node, output: 0 })),
    outputs: separated.outputs.map((output) => bind(output.name, output.value)),
  };
}

/**
 * What is known of a value.
 *
 * @throws {CkptError} GRAPH_INVALID when no node has such an output.
 */
export function valueInfo(nodes: ReadonlyMap<string, Node>, value: ValueRef): ValueInfo {
  const info = nodes.get(value.node)?.outputs[value.output];
  if (info === undefined) {
    throw new CkptError("GRAPH_INVALID", {
      issues: [{ path: `${value.node}:${value.output}`, message: "no such value" }],
    });
  }
  return info;
}
