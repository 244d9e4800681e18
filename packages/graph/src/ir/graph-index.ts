import type { Constant, Graph, Node, ValueRef } from "./graph.js";

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

/** All nodes of a graph, those in the bodies of its scans included. */
export function listNodes(graph: Graph): readonly Node[] {
  return graph.nodes.flatMap((node) => (node.scan === undefined ? [node] : [node, ...listNodes(node.scan.body)]));
}

/** All constants of a graph, wherever it holds them. */
export function listConstants(graph: Graph): readonly Constant[] {
  return listNodes(graph).flatMap(({ constant, scan }) => {
    const { kernel, recurrentKernel, bias } = scan?.cell ?? {};
    return [constant, kernel, recurrentKernel, bias].filter((each) => each !== undefined);
  });
}

/** A graph with every constant changed, wherever it holds them. */
export function mapConstants(graph: Graph, change: (constant: Constant) => Constant): Graph {
  const nodes = graph.nodes.map((node): Node => {
    const { constant, scan } = node;
    if (constant !== undefined) return { ...node, constant: change(constant) };
    if (scan === undefined) return node;
    const { body, cell } = scan;
    if (cell === undefined) return { ...node, scan: { ...scan, body: mapConstants(body, change) } };
    const changed = {
      ...cell,
      kernel: change(cell.kernel),
      recurrentKernel: change(cell.recurrentKernel),
      ...(cell.bias === undefined ? {} : { bias: change(cell.bias) }),
    };
    return { ...node, scan: { ...scan, body: mapConstants(body, change), cell: changed } };
  });
  return { ...graph, nodes };
}
