import { create } from "@bufbuild/protobuf";

import { AttrValueSchema, DataType, type NodeDef, NodeDefSchema } from "../proto/gen/tensorflow/graph_pb.js";
import { parseNodeInput, serializeNodeInput } from "./node-input.js";
import { evaluateScalar } from "./scalar-values.js";
import { isLoopEdge, sortNeededNodes } from "./sort-nodes.js";

const switches: ReadonlySet<string> = new Set(["Switch", "RefSwitch"]);
const merges: ReadonlySet<string> = new Set(["Merge", "RefMerge"]);

function indexConstant(name: string, index: number): NodeDef {
  return create(NodeDefSchema, {
    name,
    op: "Const",
    attr: {
      dtype: create(AttrValueSchema, { value: { case: "type", value: DataType.DT_INT32 } }),
      value: create(AttrValueSchema, {
        value: { case: "tensor", value: { dtype: DataType.DT_INT32, tensorShape: { dim: [] }, intVal: [index] } },
      }),
    },
  });
}

/** A graph without the branches that are known not to be taken. */
export interface ResolvedBranches {
  readonly nodes: ReadonlyMap<string, NodeDef>;
  /** What each of the roots is in it, `node` or `node:output`; `undefined` for one that is never computed. */
  readonly roots: readonly (string | undefined)[];
  /** Scalars that are known before run time, by name of their node; booleans are 0 or 1. */
  readonly scalars: ReadonlyMap<string, number>;
}

/**
 * Takes out the branches that a known predicate decides: a `Switch` hands its data on to the live side only, what depends
 * on the other side is never computed, and a `Merge` with one live input is that input. What remains is what the roots
 * need by data; control inputs are dropped, since nothing that is left has an effect. Branches that depend on an input,
 * and loops, stay.
 *
 * @param roots - `node` or `node:output`.
 */
export function resolveBranches(nodes: ReadonlyMap<string, NodeDef>, roots: readonly string[]): ResolvedBranches {
  const dead = new Set<string>();
  const deadOutputs = new Set<string>();
  const aliases = new Map<string, string>();
  const scalars = new Map<string, number>();
  const kept = new Map<string, NodeDef>();

  const resolve = (text: string): string | undefined => {
    const input = parseNodeInput(text);
    const name = serializeNodeInput(input);
    return dead.has(input.node) || deadOutputs.has(name) ? undefined : (aliases.get(name) ?? name);
  };
  const keep = (node: NodeDef, input: readonly string[]): void => {
    kept.set(node.name, create(NodeDefSchema, { ...node, input: [...input] }));
  };
  const isBack = (node: NodeDef, text: string): boolean => isLoopEdge(node, nodes.get(parseNodeInput(text).node));
  const mergeNode = (node: NodeDef, inputs: readonly (string | undefined)[]): void => {
    const live = inputs.filter((text) => text !== undefined);
    const [only] = live;
    // A loop that is never entered brings nothing back.
    if (only === undefined || live.every((text) => isBack(node, text))) dead.add(node.name);
    else if (live.length > 1) keep(node, live);
    else {
      const index = indexConstant(`${node.name}/value_index`, inputs.indexOf(only));
      kept.set(index.name, index);
      aliases.set(node.name, only);
      aliases.set(`${node.name}:1`, index.name);
    }
  };

  const names = roots.map((root) => parseNodeInput(root).node);
  for (const node of sortNeededNodes(nodes, names, true)) {
    const inputs = node.input.map((text) => resolve(text.replace("^", "")));
    const data = inputs.filter((_, index) => node.input[index]?.startsWith("^") === false);
    if (merges.has(node.op)) {
      mergeNode(node, data);
      continue;
    }
    if (inputs.includes(undefined)) {
      dead.add(node.name);
      continue;
    }
    const live = data.filter((text) => text !== undefined);
    const [source = "", predicate = ""] = live;
    const decided = switches.has(node.op) ? scalars.get(predicate) : undefined;
    if (decided !== undefined) {
      const outputs = [node.name, `${node.name}:1`] as const;
      aliases.set(outputs[decided === 0 ? 0 : 1], source);
      deadOutputs.add(outputs[decided === 0 ? 1 : 0]);
      continue;
    }
    const scalar = evaluateScalar(
      node,
      live.map((text) => scalars.get(text)),
    );
    if (scalar !== undefined) scalars.set(node.name, scalar);
    keep(node, live);
  }

  const resolved = roots.map(resolve);
  const needed = sortNeededNodes(
    kept,
    resolved.flatMap((root) => (root === undefined ? [] : [parseNodeInput(root).node])),
    false,
  );
  return { nodes: new Map(needed.map((node) => [node.name, node])), roots: resolved, scalars };
}
