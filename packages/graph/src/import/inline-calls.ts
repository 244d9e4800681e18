import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import {
  type AttrValue,
  type FunctionDef,
  type GraphDef,
  type NodeDef,
  NodeDefSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { functionAttribute } from "./attributes.js";
import { parseNodeInput, serializeNodeInput } from "./node-input.js";
import { flatOutput } from "./output-arguments.js";

/** Functions that call one another without end are refused here; real models nest a dozen deep. */
const maxDepth = 100;

const calls: ReadonlySet<string> = new Set(["PartitionedCall", "StatefulPartitionedCall"]);

/** The function that a node calls, whatever its inputs are. */
function findCallee(node: NodeDef, functions: ReadonlyMap<string, FunctionDef>): FunctionDef | undefined {
  if (calls.has(node.op)) return functions.get(functionAttribute(node, "f") ?? "");
  // In graphs of TensorFlow 1 a function's name is an operation.
  return functions.get(node.op);
}

/**
 * Puts the nodes of called functions in the place of the calls, inner calls too; each under the name of its call. Branches
 * and loops keep their functions.
 *
 * @param path - Of the model; named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when functions call one another without end, or a body refers to what is not there.
 */
export function inlineCalls(graphDef: GraphDef, path: string): ReadonlyMap<string, NodeDef> {
  const functions = new Map((graphDef.library?.function ?? []).map((body) => [body.signature?.name ?? "", body]));
  let nodes: readonly NodeDef[] = graphDef.node;
  for (let depth = 0; nodes.some((node) => findCallee(node, functions) !== undefined); depth++) {
    if (depth === maxDepth) {
      const reason = `its functions call one another more than ${maxDepth} deep`;
      throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Export the model again." });
    }
    nodes = inlineOnce(nodes, functions, path);
  }
  return new Map(nodes.map((node) => [node.name, node]));
}

function inlineOnce(
  nodes: readonly NodeDef[],
  functions: ReadonlyMap<string, FunctionDef>,
  path: string,
): readonly NodeDef[] {
  const outputs = new Map<string, readonly string[]>();
  const inlined = nodes.flatMap((node) => {
    const callee = findCallee(node, functions);
    if (callee === undefined) return [node];
    const body = instantiate(node, callee, path);
    outputs.set(node.name, body.outputs);
    return body.nodes;
  });
  const redirect = (text: string): string => {
    const input = parseNodeInput(text);
    const called = outputs.get(input.node);
    // A call that has to have run: what its nodes do to others does not outlive the freezing.
    return called === undefined || input.isControl ? text : (called[input.output] ?? text);
  };
  // An output of one call may be that of another.
  const settle = (text: string): string => {
    let current = text;
    for (let next = redirect(current); next !== current; next = redirect(current)) current = next;
    return current;
  };
  return inlined.map((node) => withInputs(node, node.input.filter((text) => !isCall(text, outputs)).map(settle)));
}

function isCall(text: string, outputs: ReadonlyMap<string, readonly string[]>): boolean {
  return text.startsWith("^") && outputs.has(text.slice(1));
}

function withInputs(node: NodeDef, input: string[]): NodeDef {
  return create(NodeDefSchema, { ...node, input });
}

interface Body {
  readonly nodes: readonly NodeDef[];
  /** `node` or `node:output` for each output of the call. */
  readonly outputs: readonly string[];
}

function instantiate(call: NodeDef, { signature, nodeDef, ret }: FunctionDef, path: string): Body {
  const fail = (text: string): never => {
    const reason = `the function ${signature?.name} refers to ${text}, which it does not have`;
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Export the model again." });
  };
  const given = call.input.filter((text) => !text.startsWith("^"));
  const passed = new Map((signature?.inputArg ?? []).map(({ name }, index) => [name, given[index]]));
  const ops = new Map(nodeDef.map((node) => [node.name, node.op]));
  // Inside of a body an output is `node:argument:index`, or the name of an argument of the function.
  const translate = (text: string): string => {
    if (text.startsWith("^")) return ops.has(text.slice(1)) ? `^${call.name}/${text.slice(1)}` : "";
    if (passed.has(text)) return passed.get(text) ?? fail(text);
    const [, node = "", argument = "", index = "0"] = /^([^:]+):([^:]+):(\d+)$/.exec(text) ?? [];
    const op = ops.get(node);
    if (op === undefined) return fail(text);
    const output = flatOutput(op, argument, Number(index));
    return serializeNodeInput({ node: `${call.name}/${node}`, output, isControl: false });
  };
  const nodes = nodeDef.map((node) =>
    create(NodeDefSchema, {
      name: `${call.name}/${node.name}`,
      op: node.op,
      input: node.input.map(translate).filter((text) => text !== ""),
      attr: Object.fromEntries(Object.entries(node.attr).map(([name, value]) => [name, bindAttribute(value, call)])),
    }),
  );
  return { nodes, outputs: (signature?.outputArg ?? []).map(({ name }) => translate(ret[name] ?? name)) };
}

/** A body's attribute may stand for one of its call's. */
function bindAttribute(value: AttrValue, call: NodeDef): AttrValue {
  return value.value.case === "placeholder" ? (call.attr[value.value.value] ?? value) : value;
}
