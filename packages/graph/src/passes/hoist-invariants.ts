import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Graph, Node, ScanStep, ValueRef } from "../ir/graph.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";

// Nodes of the body that give the same in every step and are no constants themselves.
function findInvariants({ sequenceCount, stateCount, body }: ScanStep): ReadonlySet<string> {
  const changing = new Set(body.inputs.slice(0, sequenceCount + stateCount).map((input) => input.node));
  const invariant = new Set<string>();
  for (const { name, op, inputs } of body.nodes) {
    if (op === "Const" || op === "Placeholder") continue;
    if (inputs.some((input) => changing.has(input.node))) changing.add(name);
    else invariant.add(name);
  }
  return invariant;
}

function hoist(node: Node, scan: ScanStep, editor: GraphEditor): Node {
  const { body } = scan;
  const invariant = findInvariants(scan);
  if (invariant.size === 0) return node;

  const given = new Map(body.inputs.map((input, index) => [input.node, node.inputs[index]]));
  const movedNames = new Map<string, string>();
  const outside = ({ node: name, output }: ValueRef): ValueRef => {
    const movedName = movedNames.get(name) ?? name;
    return given.get(name) ?? { node: movedName, output };
  };
  const move = (moved: Node): void => {
    if (movedNames.has(moved.name)) return;
    movedNames.set(moved.name, editor.appendNew({ ...moved, inputs: moved.inputs.map(outside) }).name);
  };
  const byName = new Map(body.nodes.map((each) => [each.name, each]));
  for (const each of body.nodes) {
    if (!invariant.has(each.name)) continue;
    for (const { node: name } of each.inputs) {
      const source = byName.get(name);
      if (source?.op === "Const") move(source);
    }
    move(each);
  }

  // What the rest of the body reads of them comes in as further captures.
  const captures = new Map<string, { readonly placeholder: Node; readonly value: ValueRef }>();
  const names = new Set(byName.keys());
  const capture = (value: ValueRef): ValueRef => {
    const info = byName.get(value.node)?.outputs[value.output];
    if (!invariant.has(value.node) || info === undefined) return value;
    const key = `${value.output}:${value.node}`;
    let found = captures.get(key);
    if (found === undefined) {
      let name = "capture";
      for (let copy = 1; names.has(name); copy++) name = `capture_${copy}`;
      names.add(name);
      const placeholder: Node = { name, op: "Placeholder", inputs: [], attributes: {}, outputs: [info], layer: "" };
      found = { placeholder, value: outside(value) };
      captures.set(key, found);
    }
    return outputOf(found.placeholder);
  };
  const nodes = body.nodes
    .filter((each) => !invariant.has(each.name))
    .map((each): Node => Object.assign({}, each, { inputs: each.inputs.map(capture) }));
  const outputs = body.outputs.map(({ name, value }) => ({ name, value: capture(value) }));
  const added = [...captures.values()];
  const inputs = [
    ...body.inputs,
    ...added.map(({ placeholder }, index) => ({
      name: `input_${body.inputs.length + index}`,
      node: placeholder.name,
    })),
  ];
  return {
    ...node,
    inputs: [...node.inputs, ...added.map(({ value }) => value)],
    scan: {
      ...scan,
      body: removeDeadNodes({ inputs, outputs, nodes: [...added.map(({ placeholder }) => placeholder), ...nodes] }),
    },
  };
}

/**
 * Moves what the body of a `Scan` computes from constants and captures alone out of it, so that it is computed once and
 * not in every step.
 */
export function hoistInvariants(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
    editor.append(node.scan === undefined ? node : hoist(node, node.scan, editor));
  });
}
