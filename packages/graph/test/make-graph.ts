import type { Attribute, Graph, Node, SymbolicShape, ValueRef } from "../src/ir/graph.js";
import { makeRandom } from "./compare-model.js";

/** A node by hand: inputs are node names, `name:1` for a second output. */
export function node(
  op: string,
  name: string,
  inputs: readonly string[],
  shape: SymbolicShape,
  attributes: Readonly<Record<string, Attribute>> = {},
): Node {
  const refs = inputs.map((input): ValueRef => {
    const [source = "", output = "0"] = input.split(":");
    return { node: source, output: Number(output) };
  });
  return { name, op, inputs: refs, attributes, outputs: [{ dtype: "float32", shape }], layer: "" };
}

/** A float32 constant; without values, random ones that depend on the name. */
export function constant(name: string, shape: readonly number[], values?: readonly number[], weight?: string): Node {
  const random = makeRandom(Array.from(name).reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7));
  const count = shape.reduce((product, size) => product * size, 1);
  const data = values === undefined ? Float32Array.from({ length: count }, random) : Float32Array.from(values);
  return {
    ...node("Const", name, [], shape),
    constant: { dtype: "float32", shape, values: data, ...(weight === undefined ? {} : { weight }) },
  };
}

/** An int32 vector. */
export function ints(name: string, values: readonly number[]): Node {
  return {
    ...node("Const", name, [], [values.length]),
    outputs: [{ dtype: "int32", shape: [values.length] }],
    constant: { dtype: "int32", shape: [values.length], values: Int32Array.from(values) },
  };
}

/** A scan over one sequence `[null, time, 2]` with one state `[null, 2]`; gives the last state and a sequence. */
export function scan(name: string, inputs: readonly string[], time: number | null, body: Graph): Node {
  return {
    ...node("Scan", name, inputs, [null, 2]),
    outputs: [
      { dtype: "float32", shape: [null, 2] },
      { dtype: "float32", shape: [null, time, 2] },
    ],
    scan: { sequenceCount: 1, stateCount: 1, body },
  };
}

/** A graph of these nodes; its inputs are the placeholders, its outputs the nodes named. */
export function makeGraph(nodes: readonly Node[], outputs: readonly string[]): Graph {
  return {
    inputs: nodes.filter(({ op }) => op === "Placeholder").map(({ name }) => ({ name, node: name })),
    outputs: outputs.map((name) => ({ name, value: { node: name, output: 0 } })),
    nodes,
  };
}

/** The operations of a graph in order, constants left out. */
export function listOps(graph: Graph): string[] {
  return graph.nodes.map(({ op }) => op).filter((op) => op !== "Const");
}
