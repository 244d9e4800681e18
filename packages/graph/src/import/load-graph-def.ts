import { create } from "@bufbuild/protobuf";
import { CkptError, type Dtype, hasControlFlow, type TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { fromDataType, toDataType } from "../emit/graph-def/data-type.js";
import { convertGraphDefToGraphModel } from "../emit/graph-model/convert-graph-def.js";
import { toLittleEndianBytes } from "../emit/little-endian.js";
import { DataType, type NodeDef, type TensorProto, TensorProtoSchema } from "../proto/gen/tensorflow/graph_pb.js";
import type { WeightData } from "../template/bind-weights.js";
import { typeAttribute } from "./attributes.js";
import { findExecutionReason } from "./executable-ops.js";
import { narrowType } from "./narrow-tensor.js";
import { bindVariables, type ImportPlan } from "./plan-import.js";
import { runnable } from "./runnable.js";

/** A planned graph in TensorFlow.js, as it is: not optimized, operation by operation. */
export interface LoadedGraphDef {
  readonly inputs: readonly TensorSpec[];
  /**
   * The float32 variables of the plan by name of their node. Others, such as how often a loop is to go round, decide which
   * operations run: they are constants.
   */
  readonly weights: Readonly<Record<string, tf.Tensor>>;
  /** Takes a tensor for each of {@link inputs}, gives one for each output of the plan; they are the caller's. */
  readonly compute: (...inputs: tf.Tensor[]) => Promise<tf.Tensor[]>;
  /** Frees the variables. */
  readonly dispose: () => void;
}

function toTensorProto({ dtype, shape, values }: WeightData): TensorProto {
  return create(TensorProtoSchema, {
    dtype: toDataType(dtype),
    tensorShape: { dim: shape.map((size) => ({ size: BigInt(size) })) },
    tensorContent: toLittleEndianBytes(values),
  });
}

/**
 * What a placeholder takes.
 *
 * @throws {CkptError} UNSUPPORTED_SHAPE when its rank is not known.
 */
function describeInput(node: NodeDef): TensorSpec {
  const dtype: Dtype = fromDataType(narrowType(typeAttribute(node, "dtype") ?? DataType.DT_FLOAT), node.name);
  const value = node.attr["shape"]?.value;
  if (value?.case !== "shape" || value.value.unknownRank) {
    const reason = "the graph does not say how many dimensions it has: pin it, or export the graph with a shape";
    throw new CkptError("UNSUPPORTED_SHAPE", { where: `placeholder ${node.name}`, shape: [], reason });
  }
  return { name: node.name, dtype, shape: value.value.dim.map(({ size }) => (size < 0n ? null : Number(size))) };
}

/**
 * Loads a planned graph into TensorFlow.js, with these values for its variables.
 *
 * @param values - By name of the variable's node; every variable of the plan has one.
 * @throws {CkptError} UNSUPPORTED_OP with every operation that TensorFlow.js does not execute; MODEL_UNREADABLE for a graph
 *   that it does not load; UNSUPPORTED_SHAPE for a placeholder of unknown rank; UNSUPPORTED_DTYPE for text and complex
 *   numbers, and for an integer beyond int32.
 */
export async function loadGraphDef(plan: ImportPlan, values: ReadonlyMap<string, WeightData>): Promise<LoadedGraphDef> {
  const inputs = plan.inputs.map(describeInput);
  const protos = new Map(Array.from(values, ([name, value]) => [name, toTensorProto(value)]));
  const graphDef = bindVariables(plan, protos);
  const { signature: _signature, ...artifacts } = convertGraphDefToGraphModel(
    graphDef,
    { inputs: [], outputs: [] },
    { findReason: findExecutionReason },
  );
  const model = await runnable(plan.path, () => tf.loadGraphModel(tf.io.fromMemory(artifacts)));
  const isAsync = hasControlFlow(graphDef);
  const outputs = plan.outputs.map(({ tensor }) => tensor);
  const weights = plan.variables.flatMap(({ node }): [string, tf.Tensor][] => {
    const tensor = model.weights[node]?.[0];
    return tensor?.dtype === "float32" ? [[node, tensor]] : [];
  });
  return {
    inputs,
    weights: Object.fromEntries(weights),
    compute: async (...tensors) => {
      const feeds = Object.fromEntries(inputs.map(({ name }, index) => [name, tensors[index] as tf.Tensor]));
      const result = isAsync ? await model.executeAsync(feeds, outputs) : model.execute(feeds, outputs);
      return Array.isArray(result) ? result : [result];
    },
    dispose: () => {
      model.dispose();
    },
  };
}
