import { DataType, type NodeDef, type TensorProto } from "../proto/gen/tensorflow/graph_pb.js";
import { textAttribute, typeAttribute } from "./attributes.js";
import { narrowType } from "./narrow-tensor.js";
import { parseNodeInput } from "./node-input.js";

/** A variable of a graph and where a checkpoint keeps its value. */
export interface GraphVariable {
  /** Name of its node. */
  readonly node: string;
  /** The name in the checkpoint. */
  readonly key: string;
  /** The part of a partitioned variable that it is. */
  readonly slice?: VariableSlice;
  readonly dtype: DataType;
  /** As the graph declares it, `null` for a size it leaves open; `undefined` where it says nothing. */
  readonly shape: readonly (number | null)[] | undefined;
}

/** A block of a larger tensor. */
export interface VariableSlice {
  /** Sizes of the whole. */
  readonly fullShape: readonly number[];
  /** Of the block in each dimension. */
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
}

const variableOps: ReadonlySet<string> = new Set(["Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable"]);
const assignOps: ReadonlySet<string> = new Set(["Assign", "AssignVariableOp"]);

/** Whether a node is a variable, by reference or as a resource. */
export function isVariable(node: NodeDef): boolean {
  return variableOps.has(node.op);
}

/**
 * The variables of a graph, by name of their node. Their names in the checkpoint are those that the graph itself restores
 * them by, so a saver that renames and variables in parts are right; a variable that nothing restores goes by its own name.
 */
export function findVariables(nodes: ReadonlyMap<string, NodeDef>): ReadonlyMap<string, GraphVariable> {
  const restored = findRestored(nodes);
  const found = [...nodes.values()].filter(isVariable).map((node): [string, GraphVariable] => {
    const from = restored.get(node.name);
    const key = from?.key ?? (textAttribute(node, "shared_name") || node.name);
    const slice = from === undefined ? undefined : parseSlice(from.slice);
    return [
      node.name,
      {
        node: node.name,
        key,
        ...(slice === undefined ? {} : { slice }),
        dtype: narrowType(typeAttribute(node, "dtype") ?? DataType.DT_FLOAT),
        shape: readShape(node),
      },
    ];
  });
  return new Map(found);
}

interface Restored {
  readonly key: string;
  /** As `shape_and_slices` gives it; empty for a whole tensor. */
  readonly slice: string;
}

/** What each variable is assigned by the operations that read a checkpoint. */
function findRestored(nodes: ReadonlyMap<string, NodeDef>): ReadonlyMap<string, Restored> {
  const restored = new Map<string, Restored>();
  for (const node of nodes.values()) {
    if (!assignOps.has(node.op)) continue;
    const [target, value] = node.input;
    const variable = follow(nodes, target);
    const source = follow(nodes, value);
    const from = source === undefined ? undefined : describeRestore(nodes, source);
    if (variable !== undefined && from !== undefined && !restored.has(variable.node.name)) {
      restored.set(variable.node.name, from);
    }
  }
  return restored;
}

/** The node and output behind any number of copies. */
function follow(
  nodes: ReadonlyMap<string, NodeDef>,
  text: string | undefined,
): { readonly node: NodeDef; readonly output: number } | undefined {
  let current = text;
  for (let hops = 0; current !== undefined && hops < nodes.size; hops++) {
    const { node: name, output } = parseNodeInput(current);
    const node = nodes.get(name);
    if (node === undefined) return undefined;
    if (node.op !== "Identity" && node.op !== "RefIdentity" && node.op !== "Cast") return { node, output };
    current = node.input[0];
  }
  return undefined;
}

function describeRestore(
  nodes: ReadonlyMap<string, NodeDef>,
  { node, output }: { readonly node: NodeDef; readonly output: number },
): Restored | undefined {
  const [, names, slices] = node.input.map((text) => readTexts(nodes.get(parseNodeInput(text).node)));
  // Restore and RestoreSlice are the operations of V1 checkpoints: one tensor each.
  if (node.op !== "RestoreV2" && node.op !== "Restore" && node.op !== "RestoreSlice") return undefined;
  const key = names?.[output];
  return key === undefined ? undefined : { key, slice: slices?.[output] ?? "" };
}

function readTexts(node: NodeDef | undefined): readonly string[] | undefined {
  const value = node?.op === "Const" ? node.attr["value"]?.value : undefined;
  return value?.case === "tensor" ? decodeTexts(value.value) : undefined;
}

function decodeTexts({ stringVal }: TensorProto): readonly string[] {
  return stringVal.map((bytes) => new TextDecoder().decode(bytes));
}

/**
 * Parses `6 2 0,2:0,2`: the sizes of the whole, then start and length in each dimension, `-` for all of it.
 * Reference: `shape_and_slices` of the operation SaveV2.
 */
function parseSlice(text: string): VariableSlice | undefined {
  if (text === "") return undefined;
  const parts = text.trim().split(/\s+/);
  const fullShape = parts.slice(0, -1).map(Number);
  const blocks = (parts.at(-1) ?? "").split(":").map((block) => block.split(",").map(Number));
  const isWhole = (axis: number): boolean => blocks[axis]?.length !== 2;
  return {
    fullShape,
    starts: fullShape.map((_, axis) => (isWhole(axis) ? 0 : (blocks[axis]?.[0] ?? 0))),
    sizes: fullShape.map((size, axis) => (isWhole(axis) ? size : (blocks[axis]?.[1] ?? 0))),
  };
}

function readShape({ attr }: NodeDef): readonly (number | null)[] | undefined {
  const value = attr["shape"]?.value;
  if (value?.case !== "shape" || value.value.unknownRank) return undefined;
  return value.value.dim.map(({ size }) => (size < 0n ? null : Number(size)));
}
