import { CkptError } from "@ckpt/manifest";

import { indexNodes } from "../ir/graph-index.js";
import type { Graph } from "../ir/graph.js";
import { bindSignature, type BoundSignature } from "./bind-signature.js";

/** One of several things that a graph computes. */
export interface SignatureChoice {
  /** Names of outputs of the graph, in the order of the signature. */
  readonly outputs: readonly string[];
}

/**
 * Signatures that share one graph, bound to the tensors of the GraphDef that `emitGraphDef` makes of it. The outputs of
 * the graph are those of all of them; each signature has the inputs that its outputs need, in the graph's order.
 *
 * @param choices - By signature key; TensorFlow takes `serving_default` when none is named.
 * @throws {CkptError} INVALID_OPTION when a choice is empty or names no output of the graph.
 */
export function bindSignatures(
  graph: Graph,
  choices: Readonly<Record<string, SignatureChoice>>,
): Readonly<Record<string, BoundSignature>> {
  const whole = bindSignature(graph);
  const bind = (key: string, names: readonly string[]): BoundSignature => {
    const expected = `one or more of ${whole.outputs.map(({ name }) => name).join(", ")}`;
    const refuse = (found: string): CkptError =>
      new CkptError("INVALID_OPTION", { option: `signatures.${key}.outputs`, expected, found });
    if (names.length === 0) throw refuse("none");
    const outputs = names.map((name) => {
      const output = whole.outputs.find((each) => each.name === name);
      if (output === undefined) throw refuse(name);
      return output;
    });
    const needed = findNeededNodes(graph, names);
    const inputs = whole.inputs.filter((_, index) => needed.has(graph.inputs[index]?.node ?? ""));
    return { inputs, outputs };
  };
  return Object.fromEntries(Object.entries(choices).map(([key, { outputs }]) => [key, bind(key, outputs)]));
}

/** Names of all nodes that outputs with these names are computed from. */
function findNeededNodes(graph: Graph, outputs: readonly string[]): ReadonlySet<string> {
  const nodes = indexNodes(graph.nodes);
  const open = graph.outputs.filter(({ name }) => outputs.includes(name)).map(({ value }) => value.node);
  const needed = new Set(open);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const { node } of nodes.get(name)?.inputs ?? []) {
      if (!needed.has(node)) open.push(node);
      needed.add(node);
    }
  }
  return needed;
}
