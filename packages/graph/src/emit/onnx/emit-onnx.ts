import { create, toBinary } from "@bufbuild/protobuf";
import type { Signature, TensorSpec } from "@ckpt/manifest";

import type { Graph, Node } from "../../ir/graph.js";
import { removeDeadNodes } from "../../passes/remove-dead-nodes.js";
import { ModelProtoSchema } from "../../proto/gen/onnx/onnx_pb.js";
import { bindSignature } from "../bind-signature.js";
import { uniqueName } from "../separate-outputs.js";
import { requireNoUnsupported } from "../unsupported-ops.js";
import { convolutionEmitters } from "./convolution.js";
import { elementwiseEmitters } from "./elementwise.js";
import { joiningEmitters } from "./joining.js";
import { matrixEmitters } from "./matrix.js";
import type { OnnxAttribute, OnnxNode, OnnxValue } from "./onnx-attribute.js";
import type { OnnxEmitters } from "./onnx-emitter.js";
import { toOnnxType } from "./onnx-type.js";
import { OnnxWriter, UnsupportedReason } from "./onnx-writer.js";
import { poolingEmitters } from "./pooling.js";
import { dropCaptures } from "./recurrent-operator.js";
import { recurrentEmitters } from "./recurrent.js";
import { reductionEmitters } from "./reduction.js";
import { shapeEmitters } from "./shape.js";
import { slicingEmitters } from "./slicing.js";
import { toGraphProto } from "./to-graph-proto.js";

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
  ...recurrentEmitters,
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
export function emitOnnx(source: Graph, { name, metadata = {} }: EmitOnnxOptions): Uint8Array<ArrayBuffer> {
  const graph = removeDeadNodes(dropCaptures(source));
  const signature = separateNames(bindSignature(graph));
  const inputNames = signature.inputs.map((spec) => spec.name);
  const writer = new OnnxWriter(graph, {
    taken: new Set([...inputNames, ...signature.outputs.map((spec) => spec.name)]),
    emitGraph: emitNodes,
  });
  emitNodes(graph, inputNames, writer);
  requireNoUnsupported("ONNX", writer.unsupported);
  const nodes = nameOutputs(graph, signature, writer);
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: "ckpt",
    opsetImport: [{ domain: "", version: opsetVersion }],
    metadataProps: Object.entries(metadata)
      .map(([key, value]) => ({ key, value }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    graph: toGraphProto({ name, nodes, initializers: writer.initializers, ...toValues(signature) }),
  });
  return toBinary(ModelProtoSchema, model);
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

function emitNodes(graph: Graph, inputs: readonly string[], writer: OnnxWriter): void {
  const inputNames = new Map(graph.inputs.map((input, index) => [input.node, inputs[index] ?? input.name]));
  for (const node of graph.nodes) {
    const inputName = inputNames.get(node.name);
    if (inputName !== undefined) {
      writer.define(node, 0, inputName);
    } else if (node.op !== "Const") {
      const reason = emitNode(writer, node);
      if (reason !== undefined) {
        writer.unsupported.push({ op: node.op, reason, layer: node.layer });
        // Named all the same, so that the nodes behind it can be looked at too.
        for (const output of node.outputs.keys()) {
          writer.define(node, output, node.name);
        }
      }
    }
  }
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
function nameOutputs(graph: Graph, signature: Signature, writer: OnnxWriter): readonly OnnxNode[] {
  const values = signature.outputs.flatMap(({ name }, index) => {
    const output = graph.outputs[index];
    return output === undefined ? [] : [{ name, value: writer.input(output.value) }];
  });
  const written = new Set(writer.nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const { name, value } of values) {
    if (written.has(value) && !renamed.has(value)) {
      renamed.set(value, name);
    } else {
      copies.push({ name, op: "Identity", inputs: [value], outputs: [name], attributes: {} });
    }
  }
  return renameValues([...writer.nodes, ...copies], renamed);
}

/** Renames values wherever they are named, in the bodies of nodes too. */
function renameValues(nodes: readonly OnnxNode[], renamed: ReadonlyMap<string, string>): readonly OnnxNode[] {
  const rename = (value: string): string => renamed.get(value) ?? value;
  const renameInside = (attribute: OnnxAttribute): OnnxAttribute =>
    "graph" in attribute
      ? { graph: { ...attribute.graph, nodes: renameValues(attribute.graph.nodes, renamed) } }
      : attribute;
  return nodes.map(({ name, op, inputs, outputs, attributes }) => ({
    name,
    op,
    attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, renameInside(value)])),
    inputs: inputs.map(rename),
    outputs: outputs.map(rename),
  }));
}

function toValues(signature: Signature): { inputs: OnnxValue[]; outputs: OnnxValue[] } {
  return {
    inputs: signature.inputs.map((spec) =>
      toValue(spec, (axis) => (axis === 0 ? batchSymbol : `${spec.name}_${axis}`)),
    ),
    // An unknown size of an output is left without a symbol: one shared with another value would claim equal sizes.
    outputs: signature.outputs.map((spec) => toValue(spec, () => undefined)),
  };
}

function toValue({ name, dtype, shape }: TensorSpec, symbolOf: (axis: number) => string | undefined): OnnxValue {
  return { name, type: toOnnxType(dtype, name), shape: shape.map((size, axis) => size ?? symbolOf(axis)) };
}
