import { CkptError, type Issue } from "@ckpt/manifest";

import { indexNodes } from "./graph-index.js";
import type { Graph, Node, ValueInfo, ValueRef } from "./graph.js";

const legalName = /^[A-Za-z0-9.][A-Za-z0-9_./-]*$/;

function product(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

function constantIssues(node: Node): string[] {
  const constant = node.constant;
  if (node.op !== "Const") return constant === undefined ? [] : [`has a constant but is a ${node.op}`];
  if (constant === undefined) return ["is a Const without a constant"];
  const issues: string[] = [];
  const expected = product(constant.shape);
  if (constant.values.length !== expected) {
    issues.push(`has ${constant.values.length} values, its shape [${constant.shape.join(", ")}] needs ${expected}`);
  }
  const output = node.outputs[0];
  if (
    output === undefined ||
    output.dtype !== constant.dtype ||
    output.shape.length !== constant.shape.length ||
    output.shape.some((size, axis) => size !== constant.shape[axis])
  ) {
    issues.push("has an output that differs from its constant in dtype or shape");
  }
  return issues;
}

function scanIssues(node: Node, infoOf: (value: ValueRef) => ValueInfo | undefined): string[] {
  const scan = node.scan;
  if (node.op !== "Scan") return scan === undefined ? [] : [`has a scan but is a ${node.op}`];
  if (scan === undefined) return ["is a Scan without a step"];
  const { sequenceCount, stateCount, body } = scan;
  const issues: string[] = [];
  if (node.inputs.length !== body.inputs.length || node.inputs.length < sequenceCount + stateCount) {
    issues.push(`has ${node.inputs.length} inputs, its body ${body.inputs.length}`);
  }
  if (sequenceCount < 1) issues.push("has no sequence");
  if (node.outputs.length !== body.outputs.length || node.outputs.length < stateCount) {
    issues.push(`has ${node.outputs.length} outputs, its body ${body.outputs.length}`);
  }
  const nodes = indexNodes(body.nodes);
  const checkPair = (what: string, outer: ValueInfo | undefined, inner: ValueInfo | undefined, extra: number): void => {
    if (outer === undefined || inner === undefined) return;
    if (outer.dtype !== inner.dtype || outer.shape.length !== inner.shape.length + extra) {
      issues.push(`differs from its body in dtype or rank of ${what}`);
    }
  };
  for (const [index, input] of node.inputs.entries()) {
    const inner = nodes.get(body.inputs[index]?.node ?? "")?.outputs[0];
    checkPair(`input ${index}`, infoOf(input), inner, index < sequenceCount ? 1 : 0);
  }
  for (const [index, outer] of node.outputs.entries()) {
    const value = body.outputs[index]?.value;
    const inner = value === undefined ? undefined : nodes.get(value.node)?.outputs[value.output];
    checkPair(`output ${index}`, outer, inner, index < stateCount ? 0 : 1);
  }
  return issues;
}

function graphIssues(graph: Graph, prefix: string): Issue[] {
  const issues: Issue[] = [];
  const known = new Map<string, Node>();
  const report = (path: string, message: string): void => {
    issues.push({ path: `${prefix}${path}`, message });
  };
  const checkReference = (path: string, reference: ValueRef): void => {
    const source = known.get(reference.node);
    if (source === undefined) report(path, `refers to ${reference.node}, which is not an earlier node`);
    else if (source.outputs[reference.output] === undefined) {
      report(path, `refers to output ${reference.output} of ${reference.node}, which has ${source.outputs.length}`);
    }
  };
  const checkUnique = (path: string, names: readonly string[]): void => {
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index) report(`${path}.${index}`, `the name ${name} is used twice`);
    }
  };

  for (const node of graph.nodes) {
    const path = `nodes.${node.name}`;
    if (!legalName.test(node.name)) report(path, "is not a legal TensorFlow node name");
    if (known.has(node.name)) report(path, "the name is used twice");
    for (const [index, input] of node.inputs.entries()) checkReference(`${path}.inputs.${index}`, input);
    for (const message of constantIssues(node)) report(path, message);
    for (const message of scanIssues(node, ({ node: name, output }) => known.get(name)?.outputs[output])) {
      report(path, message);
    }
    if (node.scan !== undefined) issues.push(...graphIssues(node.scan.body, `${prefix}${path}.body.`));
    known.set(node.name, node);
  }
  for (const [index, input] of graph.inputs.entries()) {
    if (known.get(input.node)?.op !== "Placeholder") report(`inputs.${index}`, `${input.node} is not a Placeholder`);
  }
  const inputNodes = new Set(graph.inputs.map((input) => input.node));
  for (const node of graph.nodes) {
    if (node.op === "Placeholder" && !inputNodes.has(node.name)) {
      report(`nodes.${node.name}`, "is a Placeholder but no input of the graph");
    }
  }
  if (graph.outputs.length === 0) report("outputs", "there is none");
  for (const [index, output] of graph.outputs.entries()) checkReference(`outputs.${index}`, output.value);
  checkUnique(
    "inputs",
    graph.inputs.map((input) => input.name),
  );
  checkUnique(
    "outputs",
    graph.outputs.map((output) => output.name),
  );
  return issues;
}

/**
 * Checks that names are unique and legal, that every reference names an output of an earlier node, that each `Const`
 * holds a constant of its own dtype and shape, that inputs and outputs exist with names used once, and that each `Scan`
 * has a body that fits it and is valid itself.
 *
 * @throws {CkptError} GRAPH_INVALID with every issue found.
 */
export function validateGraph(graph: Graph): void {
  const issues = graphIssues(graph, "");
  if (issues.length > 0) throw new CkptError("GRAPH_INVALID", { issues });
}
