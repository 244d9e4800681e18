import { create } from "@bufbuild/protobuf";

import { toAttrValue } from "../emit/graph-def/node-attributes.js";
import { opSchemas } from "../emit/graph-def/op-schemas.js";
import { type NodeDef, NodeDefSchema } from "../proto/gen/tensorflow/graph_pb.js";

/**
 * Writes out the attributes that an exporter has left out because they have their default: TensorFlow.js does not know the
 * defaults of all of them.
 */
export function fillDefaults(node: NodeDef): NodeDef {
  const attributes = Object.hasOwn(opSchemas, node.op) ? (opSchemas[node.op]?.attributes ?? {}) : {};
  const missing = Object.entries(attributes).flatMap(([name, { fallback }]) =>
    fallback === undefined || Object.hasOwn(node.attr, name) ? [] : [[name, toAttrValue(fallback)] as const],
  );
  if (missing.length === 0) return node;
  return create(NodeDefSchema, { ...node, attr: { ...node.attr, ...Object.fromEntries(missing) } });
}
