import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CkptError, type Dtype, type Issue } from "@ckpt/manifest";

import type { Attribute, Graph, Node, ValueRef } from "../../ir/graph.js";
import {
  type AttrValue,
  AttrValueSchema,
  type GraphDef,
  GraphDefSchema,
  type NodeDef,
  NodeDefSchema,
} from "../../proto/gen/tensorflow/graph_pb.js";
import { valueInfo } from "../bind-signature.js";
import { decomposeDepthwisePadding } from "../decompose-depthwise-padding.js";
import { decomposePrelu } from "../decompose-prelu.js";
import { separateOutputs } from "../separate-outputs.js";
import { requireNoUnsupported } from "../unsupported-ops.js";
import { toDataType } from "./data-type.js";
import { type AttributeSchema, type OpSchema, opSchemas, type TypeSource } from "./op-schemas.js";
import { toTensorProto, toTensorShapeProto } from "./tensor-proto.js";

/**
 * The last GraphDef version with a meaning of its own; later ones count days.
 * Reference: the version history in tensorflow/core/public/version.h.
 */
const producerVersion = 30;

/**
 * Writes a graph as a frozen TensorFlow GraphDef. Every output of the signature has a node of its own in it; find its
 * name with `bindSignature`.
 *
 * @throws {CkptError} UNSUPPORTED_OP when an operation has no GraphDef form; all of them are listed.
 * @throws {CkptError} GRAPH_INVALID when an attribute is missing, unknown or of the wrong kind.
 */
export function emitGraphDef(graph: Graph): GraphDef {
  const lowered = separateOutputs(decomposeDepthwisePadding(decomposePrelu(graph)));
  requireNoUnsupported(
    "GraphDef",
    lowered.nodes
      .filter(({ op }) => op !== "Const" && op !== "Placeholder" && !Object.hasOwn(opSchemas, op))
      .map(({ op, layer }) => ({ op, layer, reason: "no such operation in TensorFlow's GraphDef" })),
  );
  const nodes = new Map(lowered.nodes.map((node) => [node.name, node]));
  const issues: Issue[] = [];
  const node = lowered.nodes.map((each) => emitNode(each, nodes, issues));
  if (issues.length > 0) {
    throw new CkptError("GRAPH_INVALID", { issues });
  }
  return create(GraphDefSchema, { node, versions: { producer: producerVersion } });
}

function emitNode(node: Node, nodes: ReadonlyMap<string, Node>, issues: Issue[]): NodeDef {
  const attr: Record<string, AttrValue> =
    node.op === "Const" || node.op === "Placeholder"
      ? emitSourceAttributes(node, issues)
      : { ...emitTypes(node, nodes, issues), ...emitCounts(node), ...emitAttributes(node, issues) };
  return create(NodeDefSchema, {
    name: node.name,
    op: node.op,
    input: node.inputs.map((input) => (input.output === 0 ? input.node : `${input.node}:${input.output}`)),
    // A map is written in the order of its keys.
    attr: Object.fromEntries(Object.entries(attr).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  });
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

function toAttrValue(attribute: Attribute): AttrValue {
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
