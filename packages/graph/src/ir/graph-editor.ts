import { indexNodes } from "./graph-index.js";
import type { Constant, Graph, Node, ValueRef } from "./graph.js";

/** A graph being rebuilt in topological order, as the passes do. */
export interface GraphEditor {
  /** A node of the new graph that is there already. */
  readonly find: (name: string) => Node | undefined;
  /** The constant that a value is, if it is one. */
  readonly findConstant: (value: ValueRef | undefined) => Constant | undefined;
  /** Appends a node. Its inputs are values of the new graph. */
  readonly append: (node: Node) => Node;
  /** Appends a node under `name`, or `name_1` and so on where that is taken. */
  readonly appendNew: (node: Node) => Node;
  /** From now on, whatever used `from` in the old graph uses `to`. */
  readonly replace: (from: ValueRef, to: ValueRef) => void;
  /** What stands for a value of the old graph in the new one. */
  readonly resolve: (value: ValueRef) => ValueRef;
  /** The new graph, with inputs and outputs of the old one. */
  readonly finish: () => Graph;
}

function keyOf({ node, output }: ValueRef): string {
  return `${output}:${node}`;
}

function editGraph(graph: Graph): GraphEditor {
  const nodes: Node[] = [];
  const byName = new Map<string, Node>();
  const oldNames = new Set(indexNodes(graph.nodes).keys());
  const copies = new Map<string, number>();
  const replaced = new Map<string, ValueRef>();
  const append = (node: Node): Node => {
    nodes.push(node);
    byName.set(node.name, node);
    return node;
  };
  const resolve = (value: ValueRef): ValueRef => replaced.get(keyOf(value)) ?? value;
  return {
    find: (name) => byName.get(name),
    findConstant: (value) => (value === undefined ? undefined : byName.get(value.node)?.constant),
    append,
    appendNew: (node) => {
      let name = node.name;
      // Names are never freed, so the search goes on where the last one for this name ended.
      let copy = copies.get(node.name) ?? 0;
      while (byName.has(name) || oldNames.has(name)) name = `${node.name}_${++copy}`;
      copies.set(node.name, copy);
      return append({ ...node, name });
    },
    replace: (from, to) => {
      replaced.set(keyOf(from), to);
    },
    resolve,
    finish: () => ({
      inputs: graph.inputs,
      outputs: graph.outputs.map(({ name, value }) => ({ name, value: resolve(value) })),
      nodes,
    }),
  };
}

/** Rebuilds a graph node by node; `visit` gets each node with its inputs already resolved. */
export function rewriteGraph(graph: Graph, visit: (node: Node, editor: GraphEditor) => void): Graph {
  const editor = editGraph(graph);
  for (const node of graph.nodes) visit({ ...node, inputs: node.inputs.map(editor.resolve) }, editor);
  return editor.finish();
}
