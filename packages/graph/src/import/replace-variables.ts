import { create } from "@bufbuild/protobuf";

import {
  AttrValueSchema,
  DataType,
  type NodeDef,
  NodeDefSchema,
  type TensorProto,
  TensorProtoSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { intAttribute, toTypeAttribute } from "./attributes.js";
import { isVariable } from "./find-variables.js";

/** Operations on references, which are those on values once variables are constants. */
const referenceOps: Readonly<Record<string, string>> = {
  RefIdentity: "Identity",
  RefSwitch: "Switch",
  RefMerge: "Merge",
  RefEnter: "Enter",
  RefExit: "Exit",
  RefNextIteration: "NextIteration",
  ReadVariableOp: "Identity",
  VariableShape: "Shape",
};

function toConstant(name: string, tensor: TensorProto): NodeDef {
  return create(NodeDefSchema, {
    name,
    op: "Const",
    attr: {
      dtype: toTypeAttribute(tensor.dtype),
      value: create(AttrValueSchema, { value: { case: "tensor", value: tensor } }),
    },
  });
}

function scalar(name: string, dtype: DataType, value: number): NodeDef {
  const values = dtype === DataType.DT_BOOL ? { boolVal: [value !== 0] } : { intVal: [value] };
  return toConstant(name, create(TensorProtoSchema, { dtype, tensorShape: { dim: [] }, ...values }));
}

/**
 * Replaces variables by constants, and what reads them by what reads a tensor: `ReadVariableOp` by `Identity`,
 * `ResourceGather` by `GatherV2`, whether a variable is initialized by true.
 *
 * @param values - By name of the variable's node.
 */
export function replaceVariables(
  nodes: readonly NodeDef[],
  values: ReadonlyMap<string, TensorProto>,
): readonly NodeDef[] {
  return nodes.flatMap((node) => {
    const value = isVariable(node) ? values.get(node.name) : undefined;
    return value === undefined ? replaceReader(node) : [toConstant(node.name, value)];
  });
}

function replaceReader(node: NodeDef): readonly NodeDef[] {
  const op = Object.hasOwn(referenceOps, node.op) ? referenceOps[node.op] : undefined;
  if (op !== undefined) return [create(NodeDefSchema, { ...node, op })];
  switch (node.op) {
    case "IsVariableInitialized":
    case "VarIsInitializedOp":
      return [scalar(node.name, DataType.DT_BOOL, 1)];
    case "ResourceGather": {
      const batchDims = intAttribute(node, "batch_dims", 0);
      const axis = scalar(`${node.name}/axis`, DataType.DT_INT32, batchDims);
      return [axis, create(NodeDefSchema, { ...node, op: "GatherV2", input: [...node.input.slice(0, 2), axis.name] })];
    }
    case "ResourceGatherNd":
      return [create(NodeDefSchema, { ...node, op: "GatherNd" })];
    default:
      return [node];
  }
}
