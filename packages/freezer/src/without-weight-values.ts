import type { GraphTemplate, Node } from "@ckpt/graph";

/**
 * A template that does not keep the weights it was captured with: they are as large as the model, and binding replaces
 * every one of them.
 */
export function withoutWeightValues(template: GraphTemplate): GraphTemplate {
  const bound = new Set(template.weights.map(({ key }) => key));
  const empty = (node: Node): Node =>
    node.constant?.weight !== undefined && bound.has(node.constant.weight)
      ? { ...node, constant: { ...node.constant, values: node.constant.values.slice(0, 0) } }
      : node;
  return { ...template, graph: { ...template.graph, nodes: template.graph.nodes.map(empty) } };
}
