import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import {
  type AttrValue,
  type FunctionDef,
  FunctionDefSchema,
  type GraphDef,
  type NodeDef,
  NodeDefSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { functionAttribute } from "./attributes.js";
import { parseNodeInput, serializeNodeInput } from "./node-input.js";
import { flatOutput } from "./output-arguments.js";

/** Functions that call one another without end are refused here, branches too; real models nest a dozen deep. */
export const maxDepth = 100;

/** Graphs of large models have some ten thousand nodes; one that its functions make larger than this is refused. */
const maxNodes = 2 ** 17;

const calls: ReadonlySet<string> = new Set(["PartitionedCall", "StatefulPartitionedCall"]);
const conditionals: ReadonlySet<string> = new Set(["If", "StatelessIf"]);
const cases: ReadonlySet<string> = new Set(["Case", "StatelessCase"]);

/** A function and what a node passes to it. */
interface Call {
  readonly callee: FunctionDef;
  readonly given: readonly string[];
}

type Functions = ReadonlyMap<string, FunctionDef>;

/** How nodes refer to one another: by `node:output` in a graph, by `node:argument:index` in a function's body. */
interface Notation {
  /** Output `index` of the argument of a node, by its operation. */
  readonly serialize: (node: string, op: string, argument: string, index: number) => string;
  /** The node and its output that an input refers to; `undefined` for a control input and an argument of the function. */
  readonly parse: (text: string) => { readonly node: string; readonly output: number } | undefined;
}

function graphNotation(functions: Functions): Notation {
  return {
    serialize: (node, op, argument, index) =>
      serializeNodeInput({ node, output: findOutput(op, argument, index, functions), isControl: false }),
    parse: (text) => (text.startsWith("^") ? undefined : parseNodeInput(text)),
  };
}

function bodyNotation(nodes: readonly NodeDef[], functions: Functions): Notation {
  const ops = new Map(nodes.map(({ name, op }) => [name, op]));
  return {
    serialize: (node, op, argument, index) => {
      ops.set(node, op);
      return `${node}:${argument}:${index}`;
    },
    parse: (text) => {
      const input = parseBodyInput(text);
      if (input === undefined) return undefined;
      const { node, argument, index } = input;
      return { node, output: findOutput(ops.get(node) ?? "", argument, index, functions) };
    },
  };
}

function parseBodyInput(text: string): { node: string; argument: string; index: number } | undefined {
  const [, node, argument, index] = /^([^:]+):([^:]+):(\d+)$/.exec(text) ?? [];
  return node === undefined || argument === undefined ? undefined : { node, argument, index: Number(index) };
}

/** The place of an output of a node among all of them; the node may be a call by the name of a function. */
function findOutput(op: string, argument: string, index: number, functions: Functions): number {
  const results = functions.get(op)?.signature?.outputArg ?? [];
  const position = results.findIndex(({ name }) => name === argument);
  return position < 0 ? flatOutput(op, argument, index) : position;
}

function dataInputs(node: NodeDef): readonly string[] {
  return node.input.filter((text) => !text.startsWith("^"));
}

function findCall(node: NodeDef, functions: Functions): Call | undefined {
  // In graphs of TensorFlow 1 a function's name is an operation.
  const callee = functions.get(calls.has(node.op) ? (functionAttribute(node, "f") ?? "") : node.op);
  return callee === undefined ? undefined : { callee, given: dataInputs(node) };
}

function refuse(path: string, reason: string): never {
  throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Export the model again." });
}

/**
 * The functions of a graph by name.
 */
export function indexFunctions({ library }: GraphDef): Functions {
  return new Map((library?.function ?? []).map((body) => [body.signature?.name ?? "", body]));
}

/**
 * Puts the nodes of called functions in the place of the calls, inner calls too; each under the name of its call, or one
 * that is free. Branches and loops keep their functions.
 *
 * @param path - Of the model; named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when functions call one another without end or feed one another nothing but their
 *   own results, when they make the graph too large, or when a body refers to what is not there.
 */
export function inlineCalls(nodes: readonly NodeDef[], functions: Functions, path: string): readonly NodeDef[] {
  return inlineAll(nodes, functions, graphNotation(functions), path);
}

/**
 * The function with the nodes of the functions that it calls in the place of the calls, as {@link inlineCalls}.
 *
 * @throws {CkptError} MODEL_UNREADABLE as {@link inlineCalls}.
 */
export function inlineBodyCalls(body: FunctionDef, functions: Functions, path: string): FunctionDef {
  const results = listResults(body);
  const marks = results.map(([, text], index) =>
    create(NodeDefSchema, { name: `^${index}`, op: "Identity", input: [text] }),
  );
  const inlined = inlineAll([...body.nodeDef, ...marks], functions, bodyNotation(body.nodeDef, functions), path);
  const nodeDef = inlined.slice(0, inlined.length - marks.length);
  const returned = inlined.slice(nodeDef.length).map(({ input }) => input[0] ?? "");
  const ret = Object.fromEntries(results.map(([name], index) => [name, returned[index] ?? ""]));
  return create(FunctionDefSchema, { ...body, nodeDef, ret });
}

/** The results of a function in their order: name, and what it is inside of the body. */
export function listResults({ signature, ret }: FunctionDef): readonly (readonly [name: string, source: string])[] {
  return (signature?.outputArg ?? []).map(({ name }) => [
    name,
    (Object.hasOwn(ret, name) ? ret[name] : undefined) ?? name,
  ]);
}

function inlineAll(
  nodes: readonly NodeDef[],
  functions: Functions,
  notation: Notation,
  path: string,
): readonly NodeDef[] {
  let current = nodes;
  for (let depth = 0; current.some((node) => findCall(node, functions) !== undefined); depth++) {
    if (depth === maxDepth) refuse(path, `its functions call one another more than ${maxDepth} deep`);
    current = inlineOnce(current, (node) => findCall(node, functions), notation, path);
  }
  return current;
}

/**
 * Puts the branch that is taken in the place of each `If` and `Case` whose predicate is known; other ones stay.
 *
 * @param scalars - What is known, by `node` or `node:output`.
 * @throws {CkptError} MODEL_UNREADABLE as {@link inlineCalls}.
 */
export function inlineBranches(
  nodes: readonly NodeDef[],
  functions: Functions,
  scalars: ReadonlyMap<string, number>,
  path: string,
): readonly NodeDef[] {
  const findBranch = (node: NodeDef): Call | undefined => {
    const [predicate = "", ...given] = dataInputs(node);
    const value = scalars.get(predicate);
    if (value === undefined) return undefined;
    const name = chooseBranch(node, value);
    const callee = name === undefined ? undefined : functions.get(name);
    return callee === undefined ? undefined : { callee, given };
  };
  return nodes.some((node) => findBranch(node) !== undefined)
    ? inlineCalls(inlineOnce(nodes, findBranch, graphNotation(functions), path), functions, path)
    : nodes;
}

function chooseBranch(node: NodeDef, value: number): string | undefined {
  if (conditionals.has(node.op)) return functionAttribute(node, value === 0 ? "else_branch" : "then_branch");
  const branches = node.attr["branches"]?.value;
  if (!cases.has(node.op) || branches?.case !== "list") return undefined;
  // An index out of range takes the last branch.
  return (branches.value.func[value] ?? branches.value.func.at(-1))?.name;
}

function inlineOnce(
  nodes: readonly NodeDef[],
  find: (node: NodeDef) => Call | undefined,
  notation: Notation,
  path: string,
): readonly NodeDef[] {
  const added = nodes.reduce((sum, node) => sum + (find(node)?.callee.nodeDef.length ?? 0), 0);
  if (added > 0 && nodes.length + added > maxNodes) refuse(path, `its functions make it more than ${maxNodes} nodes`);
  const outputs = new Map<string, readonly string[]>();
  const names = new Set(nodes.map(({ name }) => name));
  const inlined = nodes.flatMap((node) => {
    const call = find(node);
    if (call === undefined) return [node];
    const body = instantiate(node, call, choosePrefix(node, call, names), notation, path);
    outputs.set(node.name, body.outputs);
    for (const { name } of body.nodes) names.add(name);
    return body.nodes;
  });
  const redirect = (text: string): string => {
    const input = notation.parse(text);
    return (input === undefined ? undefined : outputs.get(input.node)?.[input.output]) ?? text;
  };
  // An output of one call may be that of another.
  const settle = (text: string): string => {
    const passed = new Set<string>();
    let current = text;
    for (let next = redirect(current); next !== current; next = redirect(current)) {
      passed.add(current);
      if (passed.has(next)) refuse(path, `the calls of functions that ${text} comes from feed one another`);
      current = next;
    }
    return current;
  };
  const isCalled = (text: string): boolean => text.startsWith("^") && outputs.has(text.slice(1));
  return inlined.map((node) =>
    create(NodeDefSchema, { ...node, input: node.input.filter((text) => !isCalled(text)).map(settle) }),
  );
}

/** The name of the call, or where nodes beside it have such names already, as `cond/Identity` has, one like it. */
function choosePrefix({ name }: NodeDef, { callee }: Call, names: ReadonlySet<string>): string {
  const isFree = (prefix: string): boolean => callee.nodeDef.every((node) => !names.has(`${prefix}/${node.name}`));
  let prefix = name;
  for (let count = 1; !isFree(prefix); count++) prefix = `${name}_${count}`;
  return prefix;
}

interface Body {
  readonly nodes: readonly NodeDef[];
  /** `node` or `node:output` for each output of the call. */
  readonly outputs: readonly string[];
}

function instantiate(call: NodeDef, { callee, given }: Call, prefix: string, notation: Notation, path: string): Body {
  const { signature, nodeDef } = callee;
  const fail = (text: string): never =>
    refuse(path, `the function ${signature?.name} refers to ${text}, which it does not have`);
  const passed = new Map((signature?.inputArg ?? []).map(({ name }, index) => [name, given[index]]));
  const ops = new Map(nodeDef.map((node) => [node.name, node.op]));
  // Inside of a body an output is `node:argument:index`, or the name of an argument of the function.
  const translate = (text: string): string => {
    if (text.startsWith("^")) return ops.has(text.slice(1)) ? `^${prefix}/${text.slice(1)}` : "";
    if (passed.has(text)) return passed.get(text) ?? fail(text);
    const input = parseBodyInput(text);
    const op = ops.get(input?.node ?? "");
    if (input === undefined || op === undefined) return fail(text);
    return notation.serialize(`${prefix}/${input.node}`, op, input.argument, input.index);
  };
  const nodes = nodeDef.map((node) =>
    create(NodeDefSchema, {
      name: `${prefix}/${node.name}`,
      op: node.op,
      input: node.input.map(translate).filter((text) => text !== ""),
      attr: Object.fromEntries(Object.entries(node.attr).map(([name, value]) => [name, bindAttribute(value, call)])),
    }),
  );
  return { nodes, outputs: listResults(callee).map(([, source]) => translate(source)) };
}

/** A body's attribute may stand for one of its call's. */
function bindAttribute(value: AttrValue, call: NodeDef): AttrValue {
  if (value.value.case !== "placeholder") return value;
  const name = value.value.value;
  return (Object.hasOwn(call.attr, name) ? call.attr[name] : undefined) ?? value;
}
