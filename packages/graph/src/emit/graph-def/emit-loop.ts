import { create, type MessageInitShape } from "@bufbuild/protobuf";

import { attribute } from "../../ir/attribute.js";
import { indexNodes } from "../../ir/graph-index.js";
import type { Constant, Graph, Node, ScanStep, SymbolicShape, ValueInfo, ValueRef } from "../../ir/graph.js";
import {
  type AttrValue,
  type AttrValue_ListValueSchema,
  AttrValueSchema,
  DataType,
  type FunctionDef,
  FunctionDefSchema,
  type TensorShapeProto,
  TensorShapeProtoSchema,
} from "../../proto/gen/tensorflow/graph_pb.js";
import { valueInfo } from "../bind-signature.js";
import { toDataType } from "./data-type.js";
import { sortAttributes, toAttrValue } from "./node-attributes.js";
import type { NodeScope } from "./node-scope.js";
import { toTensorProto, toTensorShapeProto } from "./tensor-proto.js";

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

/** A value that goes from step to step. */
interface LoopVariable {
  /** An argument of both functions. */
  readonly name: string;
  readonly type: DataType;
  /** `undefined` where the first value has another than the rest. */
  readonly shape: SymbolicShape | undefined;
  /** The first value, as an input. */
  readonly initial: string;
}

const typeOf = (type: DataType): AttrValue => create(AttrValueSchema, { value: { case: "type", value: type } });
const listOf = (value: MessageInitShape<typeof AttrValue_ListValueSchema>): AttrValue =>
  create(AttrValueSchema, { value: { case: "list", value } });
const functionOf = (name: string): AttrValue => create(AttrValueSchema, { value: { case: "func", value: { name } } });
const int32 = typeOf(DataType.DT_INT32);

function addTensor(scope: NodeScope, name: string, constant: Constant): string {
  const value = create(AttrValueSchema, { value: { case: "tensor", value: toTensorProto(constant) } });
  const dtype = typeOf(toDataType(constant.dtype));
  return scope.addNew(scope.claim(name), { op: "Const", attr: { dtype, value } });
}

function addConstant(scope: NodeScope, name: string, values: readonly number[], shape: readonly number[]): string {
  return addTensor(scope, name, { dtype: "int32", shape, values: Int32Array.from(values) });
}

/** A scalar that is 0 or false. */
function addZero(scope: NodeScope, name: string, dtype: ValueInfo["dtype"]): string {
  const values = dtype === "float32" ? new Float32Array(1) : dtype === "bool" ? new Uint8Array(1) : new Int32Array(1);
  return addTensor(scope, name, { dtype, shape: [], values });
}

function toShape(shape: SymbolicShape | undefined): TensorShapeProto {
  return shape === undefined ? create(TensorShapeProtoSchema, { unknownRank: true }) : toTensorShapeProto(shape);
}

/** The length of a sequence `[batch, time, ...]` as an int32 scalar. */
function addLength(scope: NodeScope, name: string, { type, initial }: LoopVariable): string {
  const T = typeOf(type);
  const shape = scope.addNew(scope.claim(`${name}/Shape`), {
    op: "Shape",
    input: [initial],
    attr: { T, out_type: int32 },
  });
  const [begin, end, stride] = [1, 2, 1].map((value) => addConstant(scope, `${name}/axis`, [value], [1]));
  return scope.addNew(scope.claim(`${name}/length`), {
    op: "StridedSlice",
    input: [shape, begin ?? "", end ?? "", stride ?? ""],
    attr: sortAttributes({ T: int32, Index: int32, shrink_axis_mask: toAttrValue(attribute.int(1)) }),
  });
}

/** A function of the loop variables. */
function defineFunction(
  name: string,
  scope: NodeScope,
  variables: readonly LoopVariable[],
  outputs: readonly { readonly name: string; readonly type: DataType; readonly value: string }[],
): FunctionDef {
  return create(FunctionDefSchema, {
    signature: {
      name,
      inputArg: variables.map(({ name: argument, type }) => ({ name: argument, type })),
      outputArg: outputs.map(({ name: argument, type }) => ({ name: argument, type })),
    },
    nodeDef: scope.defs,
    ret: Object.fromEntries(outputs.map((output) => [output.name, output.value])),
  });
}

function defineCondition(name: string, scope: NodeScope, variables: readonly LoopVariable[]): FunctionDef {
  const value = scope.addNew(scope.claim(`${name}/Less`), {
    op: "Less",
    input: ["step", "limit"],
    attr: { T: int32 },
  });
  return defineFunction(name, scope, variables, [{ name: "is_more", type: DataType.DT_BOOL, value }]);
}

/** The states that are the first output of a node each, and no two of the same. */
function findPlainStates({ stateCount, body }: ScanStep): ReadonlySet<number> {
  const nodes = indexNodes(body.nodes);
  const seen = new Set<string>();
  return new Set(
    body.outputs.slice(0, stateCount).flatMap(({ value: { node, output } }, index) => {
      const op = nodes.get(node)?.op;
      if (output !== 0 || op === "Placeholder" || op === "Const" || nodes.get(node)?.scan !== undefined) return [];
      if (seen.has(node)) return [];
      seen.add(node);
      return [index];
    }),
  );
}

/** Whether what a step puts out goes on as a state too, and is so not disposed of when the step is over. */
function isKept(step: ScanStep, value: ValueRef): boolean {
  return [...findPlainStates(step)].some((index) => {
    const state = step.body.outputs[index]?.value;
    return state?.node === value.node && state.output === value.output;
  });
}

function defineBody(
  name: string,
  scope: NodeScope,
  variables: readonly LoopVariable[],
  step: ScanStep,
  emitBody: EmitLoopOptions["emitBody"],
): FunctionDef {
  const { sequenceCount, stateCount, body } = step;
  const nodes = indexNodes(body.nodes);
  const infoOf = (value: ValueRef): ValueInfo => valueInfo(nodes, value);
  for (const [index, { node }] of body.inputs.entries()) {
    const value = { node, output: 0 };
    if (index >= sequenceCount) {
      scope.define(value, nameInput(step, index));
      continue;
    }
    const axis = addConstant(scope, `${name}/axis`, [1], []);
    const slice = scope.addNew(scope.claim(`${name}/slice`), {
      op: "GatherV2",
      input: [nameInput(step, index), "step", axis],
      attr: sortAttributes({ Tparams: typeOf(toDataType(infoOf(value).dtype)), Tindices: int32, Taxis: int32 }),
    });
    scope.define(value, slice);
  }
  emitBody(body, scope);

  const one = addConstant(scope, `${name}/one`, [1], []);
  const next = new Map([
    ["step", scope.addNew(scope.claim(`${name}/next_step`), { op: "AddV2", input: ["step", one], attr: { T: int32 } })],
  ]);
  // TensorFlow.js knows an output of a function by its node alone.
  const copy = (value: ValueRef): string => {
    const attr = { T: typeOf(toDataType(infoOf(value).dtype)) };
    const input = [scope.resolve(value)];
    return scope.addNew(scope.claim(`${name}/Identity`), { op: "Identity", input, attr });
  };
  const plain = findPlainStates(step);
  for (const [index, { value }] of body.outputs.entries()) {
    if (index < stateCount) {
      next.set(`state_${index}`, plain.has(index) ? scope.resolve(value) : copy(value));
      continue;
    }
    const [list, last] = [`outputs_${index - stateCount}`, `last_${index - stateCount}`];
    const item = isKept(step, value) ? scope.resolve(value) : copy(value);
    next.set(last, item);
    const attr = { element_dtype: typeOf(toDataType(infoOf(value).dtype)) };
    const own = scope.claim(`${name}/TensorListSetItem`);
    next.set(list, scope.addNew(own, { op: "TensorListSetItem", input: [list, "step", item], attr }));
  }
  const outputs = variables.map(({ name: argument, type }) => ({
    name: `next_${argument}`,
    type,
    value: next.get(argument) ?? argument,
  }));
  return defineFunction(name, scope, variables, outputs);
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
  const sequences = inputs.slice(0, sequenceCount);
  const [sequence] = sequences;
  if (sequence === undefined) throw new TypeError(`${node.name} has no sequence.`);
  const limit =
    stepCount === undefined ? addLength(scope, name, sequence) : addConstant(scope, `${name}/length`, [stepCount], []);
  const lists = node.outputs.slice(stateCount).map(({ dtype, shape: [batch = null, , ...rest] }, index) => {
    const elementShape = [batch, ...rest].map((size) => size ?? -1);
    const shape = addConstant(scope, `${name}/element_shape`, elementShape, [elementShape.length]);
    const elementType = typeOf(toDataType(dtype));
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
  const start = addConstant(scope, `${name}/start`, [0], []);
  const variables: readonly LoopVariable[] = [
    ...inputs.slice(sequenceCount, sequenceCount + stateCount),
    ...lists,
    ...lasts,
    { name: "step", type: DataType.DT_INT32, shape: [], initial: start },
    { name: "limit", type: DataType.DT_INT32, shape: [], initial: limit },
    ...sequences,
    ...inputs.slice(sequenceCount + stateCount),
  ];

  const functionName = (kind: string): string => scope.claim(`${name.replaceAll("/", "_")}_${kind}`);
  const [condition, body] = [functionName("cond"), functionName("body")];
  const { functions } = scope.library;
  functions.push(defineCondition(condition, scope.enter(condition), variables));
  functions.push(defineBody(body, scope.enter(body), variables, step, emitBody));
  const loop = "StatelessWhile";
  scope.addNew(name, {
    op: loop,
    input: variables.map(({ initial }) => initial),
    attr: sortAttributes({
      T: listOf({ type: variables.map(({ type }) => type) }),
      body: functionOf(body),
      cond: functionOf(condition),
      output_shapes: listOf({ shape: variables.map(({ shape }) => toShape(shape)) }),
    }),
  });

  for (let index = 0; index < stateCount; index++) {
    scope.define({ node: node.name, output: index }, scope.refer(name, loop, index));
  }
  for (const [index, { elementType, elementShape }] of lists.entries()) {
    const stacked = scope.addNew(scope.claim(`${name}/TensorListStack`), {
      op: "TensorListStack",
      input: [scope.refer(name, loop, stateCount + index), elementShape],
      attr: sortAttributes({ element_dtype: elementType, num_elements: toAttrValue(attribute.int(-1)) }),
    });
    const rank = node.outputs[stateCount + index]?.shape.length ?? 2;
    const permutation = Array.from({ length: rank }, (_, axis) => (axis < 2 ? 1 - axis : axis));
    const batchFirst = scope.addNew(scope.claim(`${name}/Transpose`), {
      op: "Transpose",
      input: [stacked, addConstant(scope, `${name}/permutation`, permutation, [rank])],
      attr: sortAttributes({ T: elementType, Tperm: int32 }),
    });
    scope.define({ node: node.name, output: stateCount + index }, batchFirst);
  }
}

/** The argument that an input of a scan is to both functions. */
function nameInput({ sequenceCount, stateCount }: ScanStep, index: number): string {
  if (index < sequenceCount) return `sequence_${index}`;
  const stateIndex = index - sequenceCount;
  return stateIndex < stateCount ? `state_${stateIndex}` : `capture_${stateIndex - stateCount}`;
}
