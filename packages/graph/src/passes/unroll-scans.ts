import { attribute } from "../ir/attribute.js";
import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Graph, Node, ScanStep, ValueRef } from "../ir/graph.js";

/** The number of steps of a scan; `undefined` where it is known only at run time. */
export function countSteps({ inputs }: Node, find: (name: string) => Node | undefined): number | undefined {
  const [sequence] = inputs;
  const shape = sequence === undefined ? undefined : find(sequence.node)?.outputs[sequence.output]?.shape;
  return shape?.[1] ?? undefined;
}

function unroll(
  node: Node,
  { sequenceCount, stateCount, body }: ScanStep,
  stepCount: number,
  editor: GraphEditor,
): void {
  const slices = node.inputs.slice(0, sequenceCount).map((sequence, index): Node => {
    const placeholder = body.nodes.find(({ name }) => name === body.inputs[index]?.node);
    const info = placeholder?.outputs[0];
    return editor.appendNew({
      name: `${node.name}/Unpack`,
      op: "Unpack",
      inputs: [sequence],
      attributes: { axis: attribute.int(1) },
      outputs: Array.from({ length: stepCount }, () => info ?? { dtype: "float32", shape: [] }),
      layer: node.layer,
    });
  });
  // Constants are the same in every step.
  const constants = new Map(
    body.nodes
      .filter(({ op }) => op === "Const")
      .map((constant) => [constant.name, outputOf(editor.appendNew(constant))]),
  );
  const captures = node.inputs.slice(sequenceCount + stateCount);
  let states: readonly ValueRef[] = node.inputs.slice(sequenceCount, sequenceCount + stateCount);
  const steps: (readonly ValueRef[])[] = [];
  for (let step = 0; step < stepCount; step++) {
    const given = [...slices.map(({ name }): ValueRef => ({ node: name, output: step })), ...states, ...captures];
    const values = new Map(constants);
    for (const [index, input] of body.inputs.entries()) {
      const value = given[index];
      if (value !== undefined) values.set(input.node, value);
    }
    const names = new Map<string, string>();
    const resolve = ({ node: name, output }: ValueRef): ValueRef =>
      values.get(name) ?? { node: names.get(name) ?? name, output };
    for (const each of body.nodes) {
      if (each.op === "Const" || each.op === "Placeholder") continue;
      names.set(each.name, editor.appendNew({ ...each, inputs: each.inputs.map(resolve) }).name);
    }
    const outputs = body.outputs.map(({ value }) => resolve(value));
    states = outputs.slice(0, stateCount);
    steps.push(outputs.slice(stateCount));
  }

  for (const [index, state] of states.entries()) editor.replace({ node: node.name, output: index }, state);
  for (const [index, info] of node.outputs.slice(stateCount).entries()) {
    const sequence = editor.appendNew({
      name: `${node.name}/Pack`,
      op: "Pack",
      inputs: steps.flatMap((outputs) => outputs[index] ?? []),
      attributes: { axis: attribute.int(1) },
      outputs: [info],
      layer: node.layer,
    });
    editor.replace({ node: node.name, output: stateCount + index }, outputOf(sequence));
  }
}

/**
 * Puts the steps of every `Scan` one after another, where there are known to be no more than `maxSteps`. Constants of the
 * body stand there once.
 */
export function unrollScans(graph: Graph, maxSteps: number): Graph {
  return rewriteGraph(graph, (node, editor) => {
    if (node.scan === undefined) {
      editor.append(node);
      return;
    }
    const scan = { ...node.scan, body: unrollScans(node.scan.body, maxSteps) };
    const stepCount = countSteps(node, editor.find);
    if (stepCount === undefined || stepCount > maxSteps) editor.append({ ...node, scan });
    else unroll(node, scan, stepCount, editor);
  });
}
