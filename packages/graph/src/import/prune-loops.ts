import { create } from "@bufbuild/protobuf";

import {
  type AttrValue,
  AttrValueSchema,
  type FunctionDef,
  FunctionDefSchema,
  type NodeDef,
  NodeDefSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { functionAttribute } from "./attributes.js";
import { parseNodeInput, serializeNodeInput } from "./node-input.js";

const loops: ReadonlySet<string> = new Set(["While", "StatelessWhile"]);

/** A graph with the functions of its loops. */
export interface LoopGraph {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly FunctionDef[];
  /** What the roots are in it, `node` or `node:output`. */
  readonly roots: readonly string[];
}

/**
 * Takes out of each loop what goes round in it for nothing: what neither its condition nor a result that is read depends
 * on, such as the values that a gradient would have needed. Each loop gets functions of its own.
 *
 * @param roots - Outputs of the graph, `node` or `node:output`.
 */
export function pruneLoops(
  nodes: readonly NodeDef[],
  library: ReadonlyMap<string, FunctionDef>,
  roots: readonly string[],
): LoopGraph {
  const functions: FunctionDef[] = [];
  const moved = new Map<string, ReadonlyMap<number, number>>();
  const readers = [...nodes.flatMap((node) => node.input), ...roots].map((text) => parseNodeInput(text));
  const pruned = nodes.map((node) => {
    const cond = loops.has(node.op) ? library.get(functionAttribute(node, "cond") ?? "") : undefined;
    const body = loops.has(node.op) ? library.get(functionAttribute(node, "body") ?? "") : undefined;
    if (cond === undefined || body === undefined) return node;
    const read = readers.filter((input) => input.node === node.name).map(({ output }) => output);
    const kept = findNeeded(cond, body, read);
    moved.set(node.name, new Map(kept.map((index, position) => [index, position])));
    const names = { cond: `${node.name}/cond`, body: `${node.name}/body` };
    functions.push(selectArguments(cond, names.cond, kept, [0]), selectArguments(body, names.body, kept, kept));
    return create(NodeDefSchema, {
      ...node,
      input: kept.flatMap((index) => node.input[index] ?? []),
      attr: Object.fromEntries(
        Object.entries(node.attr).map(([name, value]) => [
          name,
          name in names ? toFunction(names[name as keyof typeof names]) : selectItems(value, kept, node.input.length),
        ]),
      ),
    });
  });
  const follow = (text: string): string => {
    const input = parseNodeInput(text);
    const output = moved.get(input.node)?.get(input.output);
    return output === undefined ? text : serializeNodeInput({ ...input, output });
  };
  return {
    functions,
    nodes: pruned.map((node) => create(NodeDefSchema, { ...node, input: node.input.map(follow) })),
    roots: roots.map(follow),
  };
}

/** Places of the loop's values that its condition or a result that is read depends on, ascending. */
function findNeeded(cond: FunctionDef, body: FunctionDef, read: readonly number[]): readonly number[] {
  const needed = new Set([...read, ...listArguments(cond, [0])]);
  // What is needed after a round is made of what was there before it.
  for (let size = -1; size !== needed.size;) {
    size = needed.size;
    for (const source of listArguments(body, [...needed])) needed.add(source);
  }
  return [...needed].toSorted((a, b) => a - b);
}

/** The node or argument that an input inside of a function refers to. */
function sourceOf(text: string): string {
  return text.replace(/^\^/, "").replace(/:.*$/, "");
}

/** Names of nodes and arguments that the outputs with these places depend on by data. */
function reach({ signature, nodeDef, ret }: FunctionDef, outputs: readonly number[]): ReadonlySet<string> {
  const nodes = new Map(nodeDef.map((node) => [node.name, node]));
  const reached = new Set<string>();
  const stack = outputs.map((index) => {
    const name = signature?.outputArg[index]?.name ?? "";
    return sourceOf(ret[name] ?? name);
  });
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    for (const text of nodes.get(name)?.input ?? []) if (!text.startsWith("^")) stack.push(sourceOf(text));
  }
  return reached;
}

function listArguments(body: FunctionDef, outputs: readonly number[]): readonly number[] {
  const reached = reach(body, outputs);
  return (body.signature?.inputArg ?? []).flatMap(({ name }, index) => (reached.has(name) ? [index] : []));
}

/** The function with these arguments and outputs only, and with the nodes that they need. */
function selectArguments(
  body: FunctionDef,
  name: string,
  inputs: readonly number[],
  outputs: readonly number[],
): FunctionDef {
  const reached = reach(body, outputs);
  const { signature } = body;
  const outputArg = outputs.flatMap((index) => signature?.outputArg[index] ?? []);
  return create(FunctionDefSchema, {
    signature: { name, inputArg: inputs.flatMap((index) => signature?.inputArg[index] ?? []), outputArg },
    nodeDef: body.nodeDef
      .filter((node) => reached.has(node.name))
      .map((node) => create(NodeDefSchema, { ...node, input: node.input.filter((text) => !text.startsWith("^")) })),
    ret: Object.fromEntries(outputArg.map((output) => [output.name, body.ret[output.name] ?? output.name])),
  });
}

function toFunction(name: string): AttrValue {
  return create(AttrValueSchema, { value: { case: "func", value: { name } } });
}

/** An attribute that lists something of each of the loop's values, cut down to some of them. */
function selectItems(attribute: AttrValue, kept: readonly number[], count: number): AttrValue {
  const { value } = attribute;
  if (value.case !== "list") return attribute;
  const { type, shape } = value.value;
  const select = <Item>(items: readonly Item[]): Item[] =>
    items.length === count ? kept.flatMap((index) => items[index] ?? []) : [...items];
  return create(AttrValueSchema, {
    value: { case: "list", value: { ...value.value, type: select(type), shape: select(shape) } },
  });
}
