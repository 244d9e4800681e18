import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import {
  type AttrValue,
  AttrValueSchema,
  type FunctionDef,
  FunctionDefSchema,
  type NodeDef,
  NodeDefSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { functionAttribute } from "./attributes.js";
import { inlineBodyCalls, listResults, maxDepth } from "./inline-calls.js";
import { parseNodeInput, serializeNodeInput } from "./node-input.js";
import { checkInputs, sortNeededNodes } from "./sort-nodes.js";

const loops: ReadonlySet<string> = new Set(["While", "StatelessWhile"]);

/** Attributes with the functions of what stands inside of a loop. */
const innerFunctions: ReadonlyMap<string, readonly string[]> = new Map([
  ["While", ["cond", "body"]],
  ["StatelessWhile", ["cond", "body"]],
  ["If", ["then_branch", "else_branch"]],
  ["StatelessIf", ["then_branch", "else_branch"]],
]);

/** A graph with the functions of its loops. */
export interface LoopGraph {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly FunctionDef[];
  /** What the roots are in it, `node` or `node:output`. */
  readonly roots: readonly string[];
}

/**
 * Takes out of each loop what goes round in it for nothing: what neither its condition nor a result that is read depends
 * on, such as the values that a gradient would have needed. Each loop gets functions of its own, without calls of others;
 * loops and branches inside of it keep theirs whole.
 *
 * @param roots - Outputs of the graph, `node` or `node:output`.
 * @param path - Of the model; named in errors.
 * @throws {CkptError} MODEL_UNREADABLE for a loop or a branch without its functions, or whose functions do not fit
 *   together, refer to what is not there or hold themselves.
 */
export function pruneLoops(
  nodes: readonly NodeDef[],
  library: ReadonlyMap<string, FunctionDef>,
  roots: readonly string[],
  path: string,
): LoopGraph {
  const functions: FunctionDef[] = [];
  const moved = new Map<string, ReadonlyMap<number, number>>();
  const readers = [...nodes.flatMap((node) => node.input), ...roots].map((text) => parseNodeInput(text));
  const pruned = nodes.map((node) => {
    if (!loops.has(node.op)) return node;
    const cond = readFunction(node, "cond", library, path);
    const body = readFunction(node, "body", library, path);
    checkLoop(node, cond, body, path);
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
  const outer = [...functions.flatMap(({ nodeDef }) => nodeDef), ...nodes.filter(({ op }) => !loops.has(op))];
  return {
    functions: [...functions, ...collectFunctions(outer, library, path)],
    nodes: pruned.map((node) => create(NodeDefSchema, { ...node, input: node.input.map(follow) })),
    roots: roots.map(follow),
  };
}

function refuse(path: string, reason: string): never {
  throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Export the model again." });
}

/** The function in an attribute of a loop or a branch, with what it calls in the place of the calls. */
function readFunction(
  node: NodeDef,
  attribute: string,
  library: ReadonlyMap<string, FunctionDef>,
  path: string,
): FunctionDef {
  const body = library.get(functionAttribute(node, attribute) ?? "");
  if (body === undefined) return refuse(path, `the function ${attribute} of ${node.name} is not there`);
  const inlined = inlineBodyCalls(body, library, path);
  checkBody(inlined, path);
  return inlined;
}

function checkLoop(node: NodeDef, cond: FunctionDef, body: FunctionDef, path: string): void {
  const counts = [cond.signature?.inputArg, body.signature?.inputArg, body.signature?.outputArg].map(
    (list) => list?.length ?? 0,
  );
  if (counts.every((count) => count === node.input.length) && cond.signature?.outputArg.length === 1) return;
  refuse(path, `the functions of its loop ${node.name} do not take and give the ${node.input.length} values it has`);
}

/** Makes sure that what a function computes is made of what is in it. */
function checkBody(body: FunctionDef, path: string): void {
  const passed = (body.signature?.inputArg ?? []).map(({ name }) => create(NodeDefSchema, { name, op: "Placeholder" }));
  const results = listResults(body).map(([name, source]) =>
    create(NodeDefSchema, {
      name: `result ${name} of ${body.signature?.name}`,
      op: "Identity",
      input: [sourceOf(source)],
    }),
  );
  const nodes = body.nodeDef.map(({ name, op, input }) =>
    create(NodeDefSchema, { name, op, input: input.filter((text) => !text.startsWith("^")).map(sourceOf) }),
  );
  const all = new Map([...passed, ...nodes, ...results].map((node) => [node.name, node]));
  const roots = results.map(({ name }) => name);
  checkInputs(sortNeededNodes(all, roots, false), path);
}

/** The functions of loops and branches among some nodes, and of those inside of them, each under its own name. */
function collectFunctions(
  nodes: readonly NodeDef[],
  library: ReadonlyMap<string, FunctionDef>,
  path: string,
): readonly FunctionDef[] {
  const found = new Map<string, FunctionDef>();
  const collect = (list: readonly NodeDef[], open: readonly string[]): void => {
    for (const node of list) {
      const held = innerFunctions.get(node.op) ?? [];
      for (const attribute of held) {
        const name = functionAttribute(node, attribute) ?? "";
        if (open.includes(name) || open.length === maxDepth) {
          refuse(path, `the functions of ${node.name} hold themselves, or stand more than ${maxDepth} deep in others`);
        }
        if (found.has(name)) continue;
        const body = readFunction(node, attribute, library, path);
        const whole = selectArguments(
          body,
          name,
          listPlaces(body.signature?.inputArg),
          listPlaces(body.signature?.outputArg),
        );
        found.set(name, whole);
        collect(whole.nodeDef, [...open, name]);
      }
    }
  };
  collect(nodes, []);
  return [...found.values()];
}

function listPlaces(items: readonly unknown[] = []): readonly number[] {
  return [...items.keys()];
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
function reach(body: FunctionDef, outputs: readonly number[]): ReadonlySet<string> {
  const nodes = new Map(body.nodeDef.map((node) => [node.name, node]));
  const reached = new Set<string>();
  const results = listResults(body);
  const stack = outputs.map((index) => sourceOf(results[index]?.[1] ?? ""));
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
  const results = listResults(body);
  return create(FunctionDefSchema, {
    signature: { name, inputArg: inputs.flatMap((index) => signature?.inputArg[index] ?? []), outputArg },
    nodeDef: body.nodeDef
      .filter((node) => reached.has(node.name))
      .map((node) => create(NodeDefSchema, { ...node, input: node.input.filter((text) => !text.startsWith("^")) })),
    ret: Object.fromEntries(outputs.flatMap((index) => (results[index] === undefined ? [] : [results[index]]))),
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
