import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Dtype, Issue } from "@ckpt/manifest";

import type { Attribute, Node, ValueRef } from "../../ir/graph.js";
import { type AttrValue, AttrValueSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { valueInfo } from "../bind-signature.js";
import { toDataType } from "./data-type.js";
import { type AttributeSchema, type OpSchema, opSchemas, type TypeSource } from "./op-schemas.js";
import { toTensorProto, toTensorShapeProto } from "./tensor-proto.js";

/** The surroundings of a node. */
export interface EmitNodeOptions {
  /** The nodes that it may refer to, and itself. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Gets what is wrong with the node. */
  readonly issues: Issue[];
}

/** The attributes of a node of the IR as a GraphDef has them, in the order of their names. */
export function emitNodeAttributes(node: Node, { nodes, issues }: EmitNodeOptions): Record<string, AttrValue> {
  return sortAttributes(
    node.op === "Const" || node.op === "Placeholder"
      ? emitSourceAttributes(node, issues)
      : { ...emitTypes(node, nodes, issues), ...emitCounts(node), ...emitAttributes(node, issues) },
  );
}

/** Attributes in the order of their names: a map is written in the order of its keys. */
export function sortAttributes(attributes: Readonly<Record<string, AttrValue>>): Record<string, AttrValue> {
  return Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function emitSourceAttributes(node: Node, issues: Issue[]): Record<string, AttrValue> {
  const info = node.outputs[0];
  if (info === undefined || (node.op === "Const" && node.constant === undefined)) {
    issues.push({ path: node.name, message: `${node.op} without ${info === undefined ? "an output" : "a value"}` });
    return {};
  }
  const dtype = typeAttribute(info.dtype);
  return node.constant === undefined
    ? { dtype, shape: create(AttrValueSchema, { value: { case: "shape", value: toTensorShapeProto(info.shape) } }) }
    : { dtype, value: create(AttrValueSchema, { value: { case: "tensor", value: toTensorProto(node.constant) } }) };
}

function emitTypes(node: Node, nodes: ReadonlyMap<string, Node>, issues: Issue[]): Record<string, AttrValue> {
  const attr: Record<string, AttrValue> = {};
  for (const [name, source] of Object.entries(schemaOf(node).types ?? {})) {
    const value = refOf(node, source);
    if (value === undefined) {
      issues.push({ path: node.name, message: `${node.op} has ${node.inputs.length} input(s), too few for ${name}` });
    } else {
      attr[name] = typeAttribute(valueInfo(nodes, value).dtype);
    }
  }
  return attr;
}

function refOf(node: Node, source: TypeSource): ValueRef | undefined {
  return "input" in source ? node.inputs.at(source.input) : { node: node.name, output: source.output };
}

function emitCounts(node: Node): Record<string, AttrValue> {
  const counted = { inputs: node.inputs.length, inputsButOne: node.inputs.length - 1, outputs: node.outputs.length };
  return Object.fromEntries(
    Object.entries(schemaOf(node).counts ?? {}).map(([name, what]) => [
      name,
      toAttrValue({ kind: "int", value: counted[what] }),
    ]),
  );
}

function emitAttributes(node: Node, issues: Issue[]): Record<string, AttrValue> {
  const schemas: Readonly<Record<string, AttributeSchema>> = schemaOf(node).attributes ?? {};
  for (const name of Object.keys(node.attributes)) {
    if (!Object.hasOwn(schemas, name)) {
      issues.push({ path: `${node.name}.${name}`, message: `${node.op} has no such attribute` });
    }
  }
  const attr: Record<string, AttrValue> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const attribute = node.attributes[name] ?? schema.fallback;
    if (attribute === undefined || attribute.kind !== schema.kind) {
      const found = attribute === undefined ? "nothing" : attribute.kind;
      issues.push({ path: `${node.name}.${name}`, message: `${node.op} expects ${schema.kind}, found ${found}` });
    } else if (schema.isRecent !== true || JSON.stringify(attribute) !== JSON.stringify(schema.fallback)) {
      attr[name] = toAttrValue(attribute);
    }
  }
  return attr;
}

const noSchema: OpSchema = {};

function schemaOf(node: Node): OpSchema {
  return opSchemas[node.op] ?? noSchema;
}

function typeAttribute(dtype: Dtype): AttrValue {
  return toAttrValue({ kind: "type", value: dtype });
}

/** An attribute as a message. */
export function toAttrValue(attribute: Attribute): AttrValue {
  return create(AttrValueSchema, { value: toAttrValueCase(attribute) });
}

function toAttrValueCase(attribute: Attribute): NonNullable<MessageInitShape<typeof AttrValueSchema>["value"]> {
  const { kind, value } = attribute;
  if (kind === "int") {
    return { case: "i", value: BigInt(value) };
  }
  if (kind === "float") {
    // The value as it comes back from the wire, so that JSON and bytes say the same.
    return { case: "f", value: Math.fround(value) };
  }
  if (kind === "bool") {
    return { case: "b", value };
  }
  if (kind === "string") {
    return { case: "s", value: new TextEncoder().encode(value) };
  }
  if (kind === "type") {
    return { case: "type", value: toDataType(value) };
  }
  if (kind === "shape") {
    return { case: "shape", value: toTensorShapeProto(value) };
  }
  return { case: "list", value: { i: value.map(BigInt) } };
}
