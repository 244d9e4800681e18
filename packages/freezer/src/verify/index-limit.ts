import type { Graph, Node } from "@ckpt/graph";

/** Operations that hand on the integer part of their first input, element by element. */
const passing: ReadonlySet<string> = new Set(["Cast", "Identity", "Reshape", "Squeeze", "ExpandDims", "Transpose"]);

/**
 * For each input that is used as an index into a table (an embedding), by input name: the number of rows of the
 * smallest such table. Inputs used otherwise are left out.
 */
export function findIndexLimits({ inputs, nodes }: Graph): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  const byName = new Map(nodes.map((node) => [node.name, node]));
  // What each node hands on: the inputs whose integer parts are its values.
  const origins = new Map(inputs.map(({ name, node }) => [node, name]));
  for (const node of nodes) {
    const origin = origins.get(node.inputs[node.op === "GatherV2" ? 1 : 0]?.node ?? "");
    if (origin === undefined) continue;
    if (passing.has(node.op)) origins.set(node.name, origin);
    const rows = node.op === "GatherV2" ? countRows(node, byName) : undefined;
    if (rows !== undefined) limits.set(origin, Math.min(rows, limits.get(origin) ?? rows));
  }
  return limits;
}

/** Size of the gathered axis of a `GatherV2`; inputs are (params, indices, axis). */
function countRows(gather: Node, byName: ReadonlyMap<string, Node>): number | undefined {
  const [params, , axis] = gather.inputs;
  const shape = byName.get(params?.node ?? "")?.outputs[params?.output ?? 0]?.shape;
  const values = byName.get(axis?.node ?? "")?.constant?.values;
  return shape?.at(values?.[0] ?? 0) ?? undefined;
}
