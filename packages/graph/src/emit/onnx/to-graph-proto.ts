import { create } from "@bufbuild/protobuf";

import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../proto/gen/onnx/onnx_pb.js";
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxValue } from "./onnx-attribute.js";
import { toOnnxDataType, toOnnxTensor } from "./onnx-type.js";

/** A graph as a message. */
export function toGraphProto({ name, nodes, initializers, inputs, outputs }: OnnxGraph): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: nodes.map(toNodeProto),
    initializer: initializers.map((each) => toOnnxTensor(each.name, each.type, each.shape, each.values)),
    input: inputs.map(toValueInfo),
    output: outputs.map(toValueInfo),
  });
}

function toNodeProto(node: OnnxNode): NodeProto {
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.op,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => toAttributeProto(name, attribute)),
  });
}

function toValueInfo({ name, type, shape }: OnnxValue): ValueInfoProto {
  const dim = shape.map((size) => {
    if (typeof size === "number") {
      return { value: { case: "dimValue" as const, value: BigInt(size) } };
    }
    return size === undefined ? {} : { value: { case: "dimParam" as const, value: size } };
  });
  const value = { case: "tensorType" as const, value: { elemType: toOnnxDataType(type), shape: { dim } } };
  return create(ValueInfoProtoSchema, { name, type: { value } });
}

function toAttributeProto(name: string, attribute: OnnxAttribute): AttributeProto {
  const type = AttributeProto_AttributeType;
  if ("int" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.INT, i: BigInt(attribute.int) });
  }
  if ("float" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.FLOAT, f: attribute.float });
  }
  if ("string" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.STRING, s: new TextEncoder().encode(attribute.string) });
  }
  if ("ints" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.INTS, ints: attribute.ints.map(BigInt) });
  }
  if ("floats" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.FLOATS, floats: [...attribute.floats] });
  }
  if ("strings" in attribute) {
    const strings = attribute.strings.map((text) => new TextEncoder().encode(text));
    return create(AttributeProtoSchema, { name, type: type.STRINGS, strings });
  }
  return create(AttributeProtoSchema, { name, type: type.GRAPH, g: toGraphProto(attribute.graph) });
}
