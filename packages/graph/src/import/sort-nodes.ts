import type { NodeDef } from "../proto/gen/tensorflow/graph_pb.js";
import { parseNodeInput } from "./node-input.js";

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
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
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
      if (!input.isControl || followControl) stack.push({ name: input.node, isLeaving: false });
    }
  }
  return sorted;
}
