import { create } from "@bufbuild/protobuf";

import {
  type AttrValue,
  AttrValueSchema,
  DataType,
  type NodeDef,
  NodeDefSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { narrowTensor, narrowType } from "./narrow-tensor.js";

/** What a resource is once variables are constants, unless something else says so. */
function narrowAttributeType(type: DataType): DataType {
  return type === DataType.DT_RESOURCE ? DataType.DT_FLOAT : narrowType(type);
}

function narrowAttribute(attribute: AttrValue, where: string): AttrValue {
  const { value } = attribute;
  if (value.case === "type") {
    return create(AttrValueSchema, { value: { case: "type", value: narrowAttributeType(value.value) } });
  }
  if (value.case === "tensor" && value.value.dtype !== DataType.DT_STRING) {
    return create(AttrValueSchema, { value: { case: "tensor", value: narrowTensor(value.value, where) } });
  }
  if (value.case === "list" && value.value.type.length > 0) {
    const type = value.value.type.map(narrowAttributeType);
    return create(AttrValueSchema, { value: { case: "list", value: { ...value.value, type } } });
  }
  return attribute;
}

/**
 * Narrows every element type of a node, and the values of constants, to float32, int32 and bool.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE for complex numbers, and for an integer beyond int32.
 */
export function narrowTypes(node: NodeDef): NodeDef {
  const attr = Object.entries(node.attr).map(([name, value]) => [name, narrowAttribute(value, `node ${node.name}`)]);
  return create(NodeDefSchema, { ...node, attr: Object.fromEntries(attr) as Record<string, AttrValue> });
}
