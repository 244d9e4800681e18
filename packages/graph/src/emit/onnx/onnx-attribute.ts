import { create } from "@bufbuild/protobuf";

import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
} from "../../proto/gen/onnx/onnx_pb.js";

/** The value of an attribute of an ONNX node. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] };

/** An attribute as a message. */
export function toAttributeProto(name: string, attribute: OnnxAttribute): AttributeProto {
  if ("int" in attribute) {
    const type = AttributeProto_AttributeType.INT;
    return create(AttributeProtoSchema, { name, type, i: BigInt(attribute.int) });
  }
  if ("float" in attribute) {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: attribute.float });
  }
  if ("string" in attribute) {
    const s = new TextEncoder().encode(attribute.string);
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRING, s });
  }
  const ints = attribute.ints.map(BigInt);
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints });
}
