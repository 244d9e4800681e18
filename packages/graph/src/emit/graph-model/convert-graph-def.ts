import { create, type JsonObject, toJson } from "@bufbuild/protobuf";
import type { Dtype } from "@ckpt/manifest";

import {
  AttrValueSchema,
  type GraphDef,
  FunctionDefLibrarySchema,
  FunctionDefSchema,
  GraphDefSchema,
  type NodeDef,
  NodeDefSchema,
  type TensorProto,
  TensorProtoSchema,
} from "../../proto/gen/tensorflow/graph_pb.js";
import { TensorInfoSchema } from "../../proto/gen/tensorflow/saved_model_pb.js";
import { readTensorContent, shapeOf } from "../../read/tensor-content.js";
import type { BoundSignature, BoundTensorSpec } from "../bind-signature.js";
import { fromDataType } from "../graph-def/data-type.js";
import { toTensorInfo } from "../saved-model.js";
import { requireNoUnsupported, type UnsupportedNode } from "../unsupported-ops.js";
import { decomposeTransposedConv3d } from "./decompose-transposed-conv-3d.js";
import { findGraphModelOpReason } from "./graph-model-ops.js";
import { scopeFunction } from "./scope-function.js";

/** Name, shape and element type of one weight, as in TensorFlow.js' weights manifest. */
export interface GraphModelWeightSpec {
  name: string;
  shape: number[];
  dtype: Dtype;
}

/** A TensorFlow.js GraphModel in memory; `tf.io.fromMemory` takes it as it is. */
export interface GraphModel {
  /** The GraphDef in proto3 JSON, with the values of constants moved out. */
  modelTopology: JsonObject;
  weightSpecs: GraphModelWeightSpec[];
  /** The weights one after the other, row-major, little-endian, in the order of `weightSpecs`. */
  weightData: ArrayBuffer;
  /** The user's names with the tensors they stand for, in positional order, in proto3 JSON. */
  signature: GraphModelSignature;
}

/** The part of a GraphModel that names its inputs and outputs: a `SignatureDef` in proto3 JSON. */
export interface GraphModelSignature {
  inputs: JsonObject;
  outputs: JsonObject;
}

/**
 * Turns a GraphDef into a TensorFlow.js GraphModel, operation by operation; 3-D transposed convolution as others.
 *
 * @param findReason - Why TensorFlow.js cannot execute an operation. Default: for what the IR is written as.
 *
 * @throws {CkptError} UNSUPPORTED_OP when TensorFlow.js cannot execute an operation; all of them are listed.
 * @throws {CkptError} UNSUPPORTED_DTYPE when a constant has an element type that TensorFlow.js does not have.
 */
export function convertGraphDefToGraphModel(
  source: GraphDef,
  signature: BoundSignature,
  findReason: typeof findGraphModelOpReason = findGraphModelOpReason,
): GraphModel {
  const graphDef = decomposeTransposedConv3d(source);
  requireNoUnsupported("GraphModel", findUnsupported(graphDef, findReason));
  const weightSpecs: GraphModelWeightSpec[] = [];
  const contents: Uint8Array[] = [];
  const takeValues = (each: NodeDef): NodeDef => {
    const tensor = each.op === "Const" ? each.attr["value"]?.value : undefined;
    if (tensor?.case !== "tensor") {
      return each;
    }
    const dtype = fromDataType(tensor.value.dtype, `constant ${each.name}`);
    weightSpecs.push({ name: each.name, shape: shapeOf(tensor.value), dtype });
    contents.push(readTensorContent(tensor.value, `constant ${each.name}`));
    return withoutValues(each, tensor.value);
  };
  const node = graphDef.node.map(takeValues);
  // TensorFlow.js looks for the constants of functions among those of the graph.
  const library =
    graphDef.library === undefined
      ? undefined
      : create(FunctionDefLibrarySchema, {
          ...graphDef.library,
          function: graphDef.library.function.map((each) => {
            const scoped = scopeFunction(each);
            return create(FunctionDefSchema, { ...scoped, nodeDef: scoped.nodeDef.map(takeValues) });
          }),
        });
  return {
    modelTopology: toJsonObject(
      create(GraphDefSchema, { ...graphDef, node, ...(library === undefined ? {} : { library }) }),
    ),
    weightSpecs,
    weightData: concatenate(contents),
    signature: { inputs: toTensorInfoJson(signature.inputs), outputs: toTensorInfoJson(signature.outputs) },
  };
}

function findUnsupported(graphDef: GraphDef, findReason: typeof findGraphModelOpReason): UnsupportedNode[] {
  const nodes = [...graphDef.node, ...(graphDef.library?.function.flatMap((each) => each.nodeDef) ?? [])];
  return nodes.flatMap((node) => {
    const padding = node.attr["padding"]?.value;
    const reason = findReason(node.op, padding?.case === "s" ? new TextDecoder().decode(padding.value) : "");
    return reason === undefined ? [] : [{ op: node.op, reason, layer: "" }];
  });
}

/** A Const that keeps the dtype and shape of its value only. */
function withoutValues(node: NodeDef, tensor: TensorProto): NodeDef {
  const { dtype, tensorShape } = tensor;
  const emptied = create(TensorProtoSchema, tensorShape === undefined ? { dtype } : { dtype, tensorShape });
  const value = create(AttrValueSchema, { value: { case: "tensor", value: emptied } });
  return create(NodeDefSchema, { ...node, attr: { ...node.attr, value } });
}

function toJsonObject(graphDef: GraphDef): JsonObject {
  const json = toJson(GraphDefSchema, graphDef);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("the JSON of a message is an object");
  }
  return json;
}

function toTensorInfoJson(specs: readonly BoundTensorSpec[]): JsonObject {
  return Object.fromEntries(specs.map((spec) => [spec.name, toJson(TensorInfoSchema, toTensorInfo(spec))]));
}

function concatenate(parts: readonly Uint8Array[]): ArrayBuffer {
  const buffer = new ArrayBuffer(parts.reduce((sizeBytes, part) => sizeBytes + part.length, 0));
  const bytes = new Uint8Array(buffer);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return buffer;
}
