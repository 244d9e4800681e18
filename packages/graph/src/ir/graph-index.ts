import type { Graph, Node, ValueRef } from "./graph.js";

/** The nodes of a graph by name. */
export function indexNodes(nodes: readonly Node[]): Map<string, Node> {
  return new Map(nodes.map((node) => [node.name, node]));
}

/** How often each node is used, by name: as an input of other nodes and as an output of the graph. */
export function countUses(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  const count = ({ node }: ValueRef): void => {
    uses.set(node, (uses.get(node) ?? 0) + 1);
  };
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const output of graph.outputs) count(output.value);
  return uses;
}

/** A reference to the first output of a node. */
export function outputOf(node: Node): ValueRef {
  return { node: node.name, output: 0 };
}
