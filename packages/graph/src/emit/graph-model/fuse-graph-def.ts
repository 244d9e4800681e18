import { create } from "@bufbuild/protobuf";

import {
  type AttrValue,
  AttrValueSchema,
  type GraphDef,
  GraphDefSchema,
  type NodeDef,
  NodeDefSchema,
} from "../../proto/gen/tensorflow/graph_pb.js";
import type { BoundSignature } from "../bind-signature.js";

/** The fused operation that TensorFlow.js has in place of each. */
const fusedOps: Readonly<Record<string, string>> = {
  MatMul: "_FusedMatMul",
  Conv2D: "_FusedConv2D",
  DepthwiseConv2dNative: "FusedDepthwiseConv2dNative",
};

/** Activations that every backend of TensorFlow.js can apply inside a fused operation. */
const activations: ReadonlySet<string> = new Set(["Relu", "Relu6", "Elu", "Sigmoid"]);

/**
 * Merges `BiasAdd`, and an activation behind it, into the matrix product or convolution before them, wherever nothing
 * else reads the values between. The merged node takes the name of the last one. Only TensorFlow.js executes the
 * result.
 */
export function fuseGraphDef(graphDef: GraphDef, signature: BoundSignature): GraphDef {
  const nodes = new Map(graphDef.node.map((node) => [node.name, node]));
  const readers = countReaders(graphDef, signature);
  const removed = new Set<string>();
  const fuse = (node: NodeDef): NodeDef => {
    const isActivation = activations.has(node.op);
    const biasAdd = isActivation ? onlyReadSource(node) : node;
    if (biasAdd?.op !== "BiasAdd") {
      return node;
    }
    const product = onlyReadSource(biasAdd);
    const op = fusedOps[product?.op ?? ""];
    const bias = biasAdd.input[1];
    if (product === undefined || op === undefined || bias === undefined) {
      return node;
    }
    removed.add(product.name);
    if (isActivation) {
      removed.add(biasAdd.name);
    }
    return create(NodeDefSchema, {
      name: node.name,
      op,
      input: [...product.input, bias],
      attr: {
        ...product.attr,
        fused_ops: toStringList(isActivation ? ["BiasAdd", node.op] : ["BiasAdd"]),
        num_args: create(AttrValueSchema, { value: { case: "i", value: 1n } }),
      },
    });
  };
  const onlyReadSource = (node: NodeDef): NodeDef | undefined => {
    const name = node.input[0];
    return name !== undefined && readers.get(name) === 1 ? nodes.get(name) : undefined;
  };
  // From the end, so that an activation is seen before the BiasAdd it takes in.
  const fused = graphDef.node.toReversed().map((node) => (removed.has(node.name) ? node : fuse(node)));
  const node = fused.toReversed().filter((each) => !removed.has(each.name));
  return create(GraphDefSchema, { ...graphDef, node });
}

function countReaders(graphDef: GraphDef, signature: BoundSignature): Map<string, number> {
  const readers = new Map<string, number>();
  const read = (name: string): void => {
    readers.set(name, (readers.get(name) ?? 0) + 1);
  };
  for (const name of graphDef.node.flatMap((node) => node.input)) {
    read(name);
  }
  for (const output of signature.outputs) {
    read(output.tensor.replace(/:0$/, ""));
  }
  return readers;
}

function toStringList(texts: readonly string[]): AttrValue {
  const s = texts.map((text) => new TextEncoder().encode(text));
  return create(AttrValueSchema, { value: { case: "list", value: { s } } });
}
