import type { Graph, GraphOutput, Node } from "../ir/graph.js";

/**
 * Gives every output of the graph a node of its own, by an `Identity` where there is none. GraphModel keeps one name
 * per node, so an output that is an input, a constant, another result of the same node, or listed twice would lose its
 * name there. So would one of a `Scan`, which is written as other nodes.
 */
export function separateOutputs(graph: Graph): Graph {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const taken = new Set<string>();
  const added: Node[] = [];
  const outputs = graph.outputs.map((output): GraphOutput => {
    const source = nodes.get(output.value.node);
    const info = source?.outputs[output.value.output];
    if (source === undefined || info === undefined) {
      return output;
    }
    const isOwn = source.inputs.length > 0 && source.scan === undefined && !taken.has(source.name);
    taken.add(source.name);
    if (isOwn) {
      return output;
    }
    const node: Node = {
      name: uniqueName(toNodeName(output.name), nodes),
      op: "Identity",
      inputs: [output.value],
      attributes: {},
      outputs: [info],
      layer: source.layer,
    };
    nodes.set(node.name, node);
    added.push(node);
    return { name: output.name, value: { node: node.name, output: 0 } };
  });
  return added.length === 0 ? graph : { ...graph, outputs, nodes: [...graph.nodes, ...added] };
}

/** A free text in the alphabet of TensorFlow's node names. */
function toNodeName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_./-]/g, "_");
  return /^[A-Za-z0-9.]/.test(name) ? name : `output_${name}`;
}

/** `name`, or `name` with the first free number behind it. */
export function uniqueName(name: string, taken: { has(name: string): boolean }): string {
  if (!taken.has(name)) {
    return name;
  }
  let number = 1;
  while (taken.has(`${name}_${number}`)) {
    number++;
  }
  return `${name}_${number}`;
}
