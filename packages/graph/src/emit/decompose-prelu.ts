import type { Graph, Node, ValueRef } from "../ir/graph.js";
import { uniqueName } from "./separate-outputs.js";

/**
 * Replaces `Prelu(x, alpha)`, which TensorFlow does not have, by `Relu(x) - alpha * Relu(-x)`. The last node keeps the
 * name.
 */
export function decomposePrelu(graph: Graph): Graph {
  const names = new Set(graph.nodes.map((node) => node.name));
  const nodes = graph.nodes.flatMap((node) => {
    if (node.scan !== undefined) return [{ ...node, scan: { ...node.scan, body: decomposePrelu(node.scan.body) } }];
    return node.op === "Prelu" ? decompose(node, names) : [node];
  });
  return { ...graph, nodes };
}

function decompose(node: Node, names: Set<string>): readonly Node[] {
  const [x, alpha] = node.inputs;
  if (x === undefined || alpha === undefined) {
    return [node];
  }
  const added: Node[] = [];
  const add = (suffix: string, op: string, inputs: readonly ValueRef[]): ValueRef => {
    const name = uniqueName(`${node.name}/${suffix}`, names);
    names.add(name);
    added.push({ name, op, inputs, attributes: {}, outputs: node.outputs, layer: node.layer });
    return { node: name, output: 0 };
  };
  const positive = add("positive", "Relu", [x]);
  const negated = add("negated", "Neg", [x]);
  const negative = add("negative", "Relu", [negated]);
  const scaled = add("scaled", "Mul", [alpha, negative]);
  return [...added, { ...node, op: "Sub", inputs: [positive, scaled] }];
}
