import { CkptError } from "@ckpt/manifest";

import type { NodeDef } from "../proto/gen/tensorflow/graph_pb.js";
import { parseNodeInput } from "./node-input.js";

const loopHeads: ReadonlySet<string> = new Set(["Merge", "RefMerge"]);
const loopEnds: ReadonlySet<string> = new Set(["NextIteration", "RefNextIteration"]);

/** Whether an input of a node is what a loop brings back to its head. */
export function isLoopEdge(node: NodeDef, source: NodeDef | undefined): boolean {
  return loopHeads.has(node.op) && loopEnds.has(source?.op ?? "");
}

/**
 * The nodes that `roots` need, each after those it needs itself. The edge from a `NextIteration` back to the `Merge` at the
 * head of a loop is the one that may point forward.
 *
 * @param followControl - Whether what has to run before counts as needed too.
 */
export function sortNeededNodes(
  nodes: ReadonlyMap<string, NodeDef>,
  roots: readonly string[],
  followControl: boolean,
): readonly NodeDef[] {
  const sorted: NodeDef[] = [];
  const entered = new Set<string>();
  // A stack of its own: graphs are thousands of nodes deep.
  const stack = roots.toReversed().map((name) => ({ name, isLeaving: false }));
  // What a loop brings back needs the head of the loop, and so waits for it.
  const loopEdges: string[] = [];
  const next = (): { name: string; isLeaving: boolean } | undefined => {
    const name = stack.length > 0 ? undefined : loopEdges.pop();
    return name === undefined ? stack.pop() : { name, isLeaving: false };
  };
  for (let item = next(); item !== undefined; item = next()) {
    const node = nodes.get(item.name);
    if (node === undefined) continue;
    if (item.isLeaving) {
      sorted.push(node);
      continue;
    }
    if (entered.has(item.name)) continue;
    entered.add(item.name);
    stack.push({ name: item.name, isLeaving: true });
    for (const text of node.input.toReversed()) {
      const input = parseNodeInput(text);
      if (isLoopEdge(node, nodes.get(input.node))) loopEdges.push(input.node);
      else if (!input.isControl || followControl) stack.push({ name: input.node, isLeaving: false });
    }
  }
  return sorted;
}

/**
 * Makes sure that nodes sorted by {@link sortNeededNodes} have all that they read.
 *
 * @param path - Of the model; named in errors.
 * @throws {CkptError} MODEL_UNREADABLE for a node that reads one that is not there, or reads its own result other than by
 *   a loop's `NextIteration`.
 */
export function checkInputs(sorted: readonly NodeDef[], path: string): void {
  const nodes = new Map(sorted.map((node) => [node.name, node]));
  const done = new Set<string>();
  for (const node of sorted) {
    for (const text of node.input) {
      const input = parseNodeInput(text);
      const source = nodes.get(input.node);
      if (done.has(input.node) || (source !== undefined && (input.isControl || isLoopEdge(node, source)))) continue;
      const reason =
        source === undefined
          ? `its node ${node.name} reads ${text}, which is not there`
          : `its node ${node.name} reads ${text}, which is computed from ${node.name} itself`;
      throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Export the model again." });
    }
    done.add(node.name);
  }
}
