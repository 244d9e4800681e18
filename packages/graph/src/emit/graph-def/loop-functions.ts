import { create } from "@bufbuild/protobuf";

import { indexNodes } from "../../ir/graph-index.js";
import type { Graph, ScanStep, SymbolicShape, ValueInfo, ValueRef } from "../../ir/graph.js";
import { DataType, type FunctionDef, FunctionDefSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { valueInfo } from "../bind-signature.js";
import { addInts, int32, typeAttribute } from "./attr-values.js";
import { sortAttributes } from "./node-attributes.js";
import type { NodeScope } from "./node-scope.js";

/** A value that goes from step to step. */
export interface LoopVariable {
  /** An argument of both functions. */
  readonly name: string;
  readonly type: DataType;
  /** `undefined` where the first value has another than the rest. */
  readonly shape: SymbolicShape | undefined;
  /** The first value, as an input. */
  readonly initial: string;
}

/** The argument that an input of a scan is to both functions. */
export function nameInput({ sequenceCount, stateCount }: ScanStep, index: number): string {
  if (index < sequenceCount) return `sequence_${index}`;
  const stateIndex = index - sequenceCount;
  return stateIndex < stateCount ? `state_${stateIndex}` : `capture_${stateIndex - stateCount}`;
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

/** The function that says whether there is a step more. */
export function defineCondition(name: string, scope: NodeScope, variables: readonly LoopVariable[]): FunctionDef {
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
export function isKept(step: ScanStep, value: ValueRef): boolean {
  return [...findPlainStates(step)].some((index) => {
    const state = step.body.outputs[index]?.value;
    return state?.node === value.node && state.output === value.output;
  });
}

/**
 * The function that does one step.
 *
 * @param emitBody - Adds the nodes of a graph to a scope, but for those that are defined there.
 */
export function defineBody(
  name: string,
  scope: NodeScope,
  variables: readonly LoopVariable[],
  step: ScanStep,
  emitBody: (graph: Graph, scope: NodeScope) => void,
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
    const axis = addInts(scope, `${name}/axis`, 1);
    const slice = scope.addNew(scope.claim(`${name}/slice`), {
      op: "GatherV2",
      input: [nameInput(step, index), "step", axis],
      attr: sortAttributes({ Tparams: typeAttribute(infoOf(value).dtype), Tindices: int32, Taxis: int32 }),
    });
    scope.define(value, slice);
  }
  emitBody(body, scope);

  const one = addInts(scope, `${name}/one`, 1);
  const next = new Map([
    ["step", scope.addNew(scope.claim(`${name}/next_step`), { op: "AddV2", input: ["step", one], attr: { T: int32 } })],
  ]);
  // TensorFlow.js knows an output of a function by its node alone.
  const copy = (value: ValueRef): string => {
    const attr = { T: typeAttribute(infoOf(value).dtype) };
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
    const attr = { element_dtype: typeAttribute(infoOf(value).dtype) };
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
