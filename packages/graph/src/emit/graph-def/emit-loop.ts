import { create } from "@bufbuild/protobuf";
import type { Dtype } from "@ckpt/manifest";

import { attribute } from "../../ir/attribute.js";
import type { Graph, Node, ScanStep, SymbolicShape } from "../../ir/graph.js";
import { DataType, type TensorShapeProto, TensorShapeProtoSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { valueInfo } from "../bind-signature.js";
import { addInts, addTensor, functionAttribute, int32, listAttribute, typeAttribute } from "./attr-values.js";
import { toDataType } from "./data-type.js";
import { defineBody, defineCondition, isKept, type LoopVariable, nameInput } from "./loop-functions.js";
import { sortAttributes, toAttrValue } from "./node-attributes.js";
import type { NodeScope } from "./node-scope.js";
import { toTensorShapeProto } from "./tensor-proto.js";

/** Operations of a loop that no operation of the IR is written as alone. */
export const loopOps: ReadonlySet<string> = new Set([
  "StatelessWhile",
  "TensorListReserve",
  "TensorListSetItem",
  "TensorListStack",
]);

/** The surroundings of a scan. */
export interface EmitLoopOptions {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly scope: NodeScope;
  /** `undefined` where it is known only at run time. */
  readonly stepCount: number | undefined;
  /** Adds the nodes of a graph to a scope, but for those that are defined there. */
  readonly emitBody: (graph: Graph, scope: NodeScope) => void;
}

/** A scalar that is 0 or false. */
function addZero(scope: NodeScope, name: string, dtype: Dtype): string {
  const values = dtype === "float32" ? new Float32Array(1) : dtype === "bool" ? new Uint8Array(1) : new Int32Array(1);
  return addTensor(scope, name, { dtype, shape: [], values });
}

function toShape(shape: SymbolicShape | undefined): TensorShapeProto {
  return shape === undefined ? create(TensorShapeProtoSchema, { unknownRank: true }) : toTensorShapeProto(shape);
}

/** The length of a sequence `[batch, time, ...]` as an int32 scalar. */
function addLength(scope: NodeScope, name: string, sequence: string, dtype: Dtype): string {
  const shape = scope.addNew(scope.claim(`${name}/Shape`), {
    op: "Shape",
    input: [sequence],
    attr: { T: typeAttribute(dtype), out_type: int32 },
  });
  const [begin, end, stride] = [1, 2, 1].map((value) => addInts(scope, `${name}/axis`, [value]));
  return scope.addNew(scope.claim(`${name}/length`), {
    op: "StridedSlice",
    input: [shape, begin ?? "", end ?? "", stride ?? ""],
    attr: sortAttributes({ T: int32, Index: int32, shrink_axis_mask: toAttrValue(attribute.int(1)) }),
  });
}

/**
 * Writes a `Scan` as a `StatelessWhile`, whose outputs begin with the last states, and a list for each sequence of
 * outputs. The two functions stand in the library of the GraphDef.
 */
export function emitLoop(node: Node, step: ScanStep, { nodes, scope, stepCount, emitBody }: EmitLoopOptions): void {
  const { sequenceCount, stateCount } = step;
  const name = scope.nameOf(node);
  const inputs = node.inputs.map((value, index): LoopVariable => {
    const { dtype, shape } = valueInfo(nodes, value);
    return { name: nameInput(step, index), type: toDataType(dtype), shape, initial: scope.resolve(value) };
  });
  const [sequence] = node.inputs;
  if (sequence === undefined) throw new TypeError(`${node.name} has no sequence.`);
  const { dtype: sequenceDtype } = valueInfo(nodes, sequence);
  const limit =
    stepCount === undefined
      ? addLength(scope, name, scope.resolve(sequence), sequenceDtype)
      : addInts(scope, `${name}/length`, stepCount);
  const lists = node.outputs.slice(stateCount).map(({ dtype, shape: [batch = null, , ...rest] }, index) => {
    const elementShape = [batch, ...rest].map((size) => size ?? -1);
    const shape = addInts(scope, `${name}/element_shape`, elementShape);
    const elementType = typeAttribute(dtype);
    const initial = scope.addNew(scope.claim(`${name}/TensorListReserve`), {
      op: "TensorListReserve",
      input: [shape, limit],
      attr: { element_dtype: elementType, shape_type: int32 },
    });
    return {
      name: `outputs_${index}`,
      type: DataType.DT_VARIANT,
      shape: [],
      initial,
      elementType,
      elementShape: shape,
    };
  });
  // TensorFlow.js disposes of what is in a list, unless the function gives it as an output as well.
  const lasts = node.outputs.slice(stateCount).flatMap(({ dtype }, index): LoopVariable[] => {
    const value = step.body.outputs[stateCount + index]?.value;
    if (value === undefined || isKept(step, value)) return [];
    const initial = addZero(scope, `${name}/zero`, dtype);
    return [{ name: `last_${index}`, type: toDataType(dtype), shape: undefined, initial }];
  });
  const start = addInts(scope, `${name}/start`, 0);
  const variables: readonly LoopVariable[] = [
    ...inputs.slice(sequenceCount, sequenceCount + stateCount),
    ...lists,
    ...lasts,
    { name: "step", type: DataType.DT_INT32, shape: [], initial: start },
    { name: "limit", type: DataType.DT_INT32, shape: [], initial: limit },
    ...inputs.slice(0, sequenceCount),
    ...inputs.slice(sequenceCount + stateCount),
  ];

  const functionName = (kind: string): string => scope.claim(`${name.replaceAll("/", "_")}_${kind}`);
  const [condition, body] = [functionName("cond"), functionName("body")];
  const { functions } = scope.library;
  functions.push(defineCondition(condition, scope.enter(condition), variables));
  functions.push(defineBody(body, scope.enter(body), variables, step, emitBody));
  const op = "StatelessWhile";
  // Not the name of the scan: its outputs are others.
  const loop = scope.claim(`${name}/${op}`);
  scope.addNew(loop, {
    op,
    input: variables.map(({ initial }) => initial),
    attr: sortAttributes({
      T: listAttribute({ type: variables.map(({ type }) => type) }),
      body: functionAttribute(body),
      cond: functionAttribute(condition),
      output_shapes: listAttribute({ shape: variables.map(({ shape }) => toShape(shape)) }),
    }),
  });

  for (let index = 0; index < stateCount; index++) {
    scope.define({ node: node.name, output: index }, scope.refer(loop, op, index));
  }
  for (const [index, { elementType, elementShape }] of lists.entries()) {
    const stacked = scope.addNew(scope.claim(`${name}/TensorListStack`), {
      op: "TensorListStack",
      input: [scope.refer(loop, op, stateCount + index), elementShape],
      attr: sortAttributes({ element_dtype: elementType, num_elements: toAttrValue(attribute.int(stepCount ?? -1)) }),
    });
    const rank = node.outputs[stateCount + index]?.shape.length ?? 2;
    const permutation = Array.from({ length: rank }, (_, axis) => (axis < 2 ? 1 - axis : axis));
    const batchFirst = scope.addNew(scope.claim(`${name}/Transpose`), {
      op: "Transpose",
      input: [stacked, addInts(scope, `${name}/permutation`, permutation)],
      attr: sortAttributes({ T: elementType, Tperm: int32 }),
    });
    scope.define({ node: node.name, output: stateCount + index }, batchFirst);
  }
}
