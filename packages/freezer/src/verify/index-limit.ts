import type { Graph, Node } from "@ckpt/graph";

/** Operations that hand on the integer part of their first input, element by element. */
const passing: ReadonlySet<string> = new Set([
  "Cast",
  "Identity",
  "Reshape",
  "Squeeze",
  "ExpandDims",
  "Transpose",
  "ReverseV2",
]);

/**
 * For each input that is used as an index into a table (an embedding), by input name: the number of rows of the
 * smallest such table. Inputs used otherwise are left out.
 */
export function findIndexLimits(graph: Graph): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  collectLimits(graph.nodes, new Map(graph.inputs.map(({ name, node }) => [node, name])), limits);
  return limits;
}

/** `origins`: what each node hands on, as far as it is known; the inputs whose integer parts are its values. */
function collectLimits(nodes: readonly Node[], origins: Map<string, string>, limits: Map<string, number>): void {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  for (const node of nodes) {
    const { scan } = node;
    if (scan !== undefined) {
      const given = scan.body.inputs.flatMap(({ node: name }, index): [string, string][] => {
        const origin = origins.get(node.inputs[index]?.node ?? "");
        return origin === undefined ? [] : [[name, origin]];
      });
      collectLimits(scan.body.nodes, new Map(given), limits);
    }
    const origin = origins.get(node.inputs[node.op === "GatherV2" ? 1 : 0]?.node ?? "");
    if (origin === undefined) continue;
    if (passing.has(node.op)) origins.set(node.name, origin);
    const rows = node.op === "GatherV2" ? countRows(node, byName) : undefined;
    if (rows !== undefined) limits.set(origin, Math.min(rows, limits.get(origin) ?? rows));
  }
}

/** Size of the gathered axis of a `GatherV2`; inputs are (params, indices, axis). */
function countRows(gather: Node, byName: ReadonlyMap<string, Node>): number | undefined {
  const [params, , axis] = gather.inputs;
  const shape = byName.get(params?.node ?? "")?.outputs[params?.output ?? 0]?.shape;
  const values = byName.get(axis?.node ?? "")?.constant?.values;
  return shape?.at(values?.[0] ?? 0) ?? undefined;
}
