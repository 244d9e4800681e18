import type { Graph } from "../ir/graph.js";

/** Removes every node that no output needs. Inputs of the graph stay, used or not: they are its signature. */
export function removeDeadNodes(graph: Graph): Graph {
  const live = new Set(graph.inputs.map((input) => input.node));
  for (const output of graph.outputs) live.add(output.value.node);
  for (const node of graph.nodes.toReversed()) {
    if (live.has(node.name)) for (const input of node.inputs) live.add(input.node);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => live.has(node.name)) };
}
