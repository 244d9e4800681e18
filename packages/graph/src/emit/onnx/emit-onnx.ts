import { create, toBinary } from "@bufbuild/protobuf";
import type { Signature, TensorSpec } from "@ckpt/manifest";

import type { Graph, Node } from "../../ir/graph.js";
import {
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../proto/gen/onnx/onnx_pb.js";
import { bindSignature } from "../bind-signature.js";
import { uniqueName } from "../separate-outputs.js";
import { requireNoUnsupported, type UnsupportedNode } from "../unsupported-ops.js";
import { convolutionEmitters } from "./convolution.js";
import { elementwiseEmitters } from "./elementwise.js";
import { joiningEmitters } from "./joining.js";
import { matrixEmitters } from "./matrix.js";
import { toAttributeProto } from "./onnx-attribute.js";
import type { OnnxEmitters } from "./onnx-emitter.js";
import { toOnnxDataType, toOnnxTensor, toOnnxType } from "./onnx-type.js";
import { type OnnxNode, OnnxWriter, UnsupportedReason } from "./onnx-writer.js";
import { poolingEmitters } from "./pooling.js";
import { reductionEmitters } from "./reduction.js";
import { shapeEmitters } from "./shape.js";
import { slicingEmitters } from "./slicing.js";

/** The operator set written; the oldest with all that is needed, so the one with the widest support. */
const opsetVersion = 17n;
/** The IR version that belongs to opset 17. Reference: ONNX versioning table. */
const irVersion = 8n;
/** The symbol for a batch size known only at run time, the same for every input. */
const batchSymbol = "batch";

/** The ONNX form of every operation that has one, by TensorFlow name. */
export const onnxEmitters: OnnxEmitters = {
  ...elementwiseEmitters,
  ...matrixEmitters,
  ...convolutionEmitters,
  ...poolingEmitters,
  ...reductionEmitters,
  ...shapeEmitters,
  ...joiningEmitters,
  ...slicingEmitters,
};

/** What an ONNX model says about itself besides its computation. */
export interface EmitOnnxOptions {
  /** Name of the graph. */
  readonly name: string;
  /** Written as `metadata_props`, sorted by key; nothing by default. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a graph as an ONNX model, opset 17, with the user's names on inputs and outputs; an output named like an input
 * gets a number behind its name. Sizes known only at run time stay so.
 *
 * @throws {CkptError} UNSUPPORTED_OP when ONNX cannot express a node; all are listed with their layers.
 * @throws {CkptError} UNSUPPORTED_DTYPE when a value holds strings.
 */
export function emitOnnx(graph: Graph, { name, metadata = {} }: EmitOnnxOptions): Uint8Array<ArrayBuffer> {
  const { signature, writer, rename, copies } = planOnnx(graph);
  const nodes = [...writer.nodes.map((node) => renameValues(node, rename)), ...copies];
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: "ckpt",
    opsetImport: [{ domain: "", version: opsetVersion }],
    metadataProps: Object.entries(metadata)
      .map(([key, value]) => ({ key, value }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    graph: {
      name,
      node: nodes.map(toNodeProto),
      initializer: writer.initializers.map((each) => toOnnxTensor(each.name, each.type, each.shape, each.values)),
      ...toValueInfos(signature),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** A graph written as ONNX nodes, before its outputs have the user's names. */
export interface OnnxPlan {
  readonly signature: Signature;
  readonly writer: OnnxWriter;
  /** What a value of the writer is called in the model. */
  readonly rename: (value: string) => string;
  /** Nodes that give a value a second name. */
  readonly copies: readonly OnnxNode[];
}

/** Writes the nodes of a graph. The same graph gives the same names each time. */
export function planOnnx(graph: Graph): OnnxPlan {
  const signature = separateNames(bindSignature(graph));
  const writer = new OnnxWriter(
    graph,
    [...signature.inputs, ...signature.outputs].map((spec) => spec.name),
  );
  emitNodes(graph, writer);
  return { signature, writer, ...nameOutputs(graph, signature, writer) };
}

/** Puts a number behind the name of an output that is the name of an input too: ONNX names a value once. */
function separateNames(signature: Signature): Signature {
  const taken = new Set(signature.inputs.map((spec) => spec.name));
  const outputs = signature.outputs.map((spec) => {
    const name = uniqueName(spec.name, taken);
    taken.add(name);
    return { ...spec, name };
  });
  return { inputs: signature.inputs, outputs };
}

function emitNodes(graph: Graph, writer: OnnxWriter): void {
  const inputNames = new Map(graph.inputs.map((input) => [input.node, input.name]));
  const unsupported: UnsupportedNode[] = [];
  for (const node of graph.nodes) {
    const inputName = inputNames.get(node.name);
    if (inputName !== undefined) {
      writer.define(node, 0, inputName);
    } else if (node.op !== "Const") {
      const reason = emitNode(writer, node);
      if (reason !== undefined) {
        unsupported.push({ op: node.op, reason, layer: node.layer });
        // Named all the same, so that the nodes behind it can be looked at too.
        for (const output of node.outputs.keys()) {
          writer.define(node, output, node.name);
        }
      }
    }
  }
  requireNoUnsupported("ONNX", unsupported);
}

/** Writes one node, or says why it cannot be written. */
function emitNode(writer: OnnxWriter, node: Node): string | undefined {
  const emit = Object.hasOwn(onnxEmitters, node.op) ? onnxEmitters[node.op] : undefined;
  if (emit === undefined) {
    return `no counterpart in opset ${opsetVersion}`;
  }
  writer.enter(node);
  try {
    emit(writer, node);
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedReason) {
      return error.message;
    }
    throw error;
  }
}

/** Gives the values of the outputs the user's names: by renaming them, or by an `Identity` where that cannot be. */
function nameOutputs(graph: Graph, signature: Signature, writer: OnnxWriter): Pick<OnnxPlan, "rename" | "copies"> {
  const values = signature.outputs.flatMap(({ name }, index) => {
    const output = graph.outputs[index];
    return output === undefined ? [] : [{ name, value: writer.input(output.value) }];
  });
  const written = new Set(writer.nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copied: { name: string; value: string }[] = [];
  for (const { name, value } of values) {
    if (written.has(value) && !renamed.has(value)) renamed.set(value, name);
    else copied.push({ name, value });
  }
  const rename = (value: string): string => renamed.get(value) ?? value;
  const copies = copied.map(({ name, value }) => ({
    name,
    op: "Identity",
    inputs: [rename(value)],
    outputs: [name],
    attributes: {},
  }));
  return { rename, copies };
}

function renameValues(node: OnnxNode, rename: (value: string) => string): OnnxNode {
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
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

function toValueInfos(signature: Signature): { input: ValueInfoProto[]; output: ValueInfoProto[] } {
  return {
    input: signature.inputs.map((spec) =>
      toValueInfo(spec, (axis) => (axis === 0 ? batchSymbol : `${spec.name}_${axis}`)),
    ),
    // An unknown size of an output is left without a symbol: one shared with another value would claim equal sizes.
    output: signature.outputs.map((spec) => toValueInfo(spec, () => undefined)),
  };
}

function toValueInfo(spec: TensorSpec, symbolOf: (axis: number) => string | undefined): ValueInfoProto {
  const dim = spec.shape.map((size, axis) => {
    const symbol = symbolOf(axis);
    if (size !== null) {
      return { value: { case: "dimValue" as const, value: BigInt(size) } };
    }
    return symbol === undefined ? {} : { value: { case: "dimParam" as const, value: symbol } };
  });
  const elemType = toOnnxDataType(toOnnxType(spec.dtype, spec.name));
  const value = { case: "tensorType" as const, value: { elemType, shape: { dim } } };
  return create(ValueInfoProtoSchema, { name: spec.name, type: { value } });
}
