import { listNodes } from "../ir/graph-index.js";
import type { Graph } from "../ir/graph.js";
import { countFlops } from "./count-flops.js";

/** A graph in figures. */
export interface GraphFigures {
  /** How often each operation is there, by name in alphabetical order; constants and inputs are left out. */
  readonly ops: Readonly<Record<string, number>>;
  /** Elements of all float32 constants. */
  readonly parameterCount: number;
  /** As `countFlops` counts; not set where it cannot. */
  readonly flopsPerExample?: number;
}

/** Counts what a graph is made of and what it costs. */
export function measureGraph(graph: Graph): GraphFigures {
  const ops = new Map<string, number>();
  let parameterCount = 0;
  for (const { op, constant } of listNodes(graph)) {
    if (op !== "Const" && op !== "Placeholder") ops.set(op, (ops.get(op) ?? 0) + 1);
    if (constant?.dtype === "float32") parameterCount += constant.values.length;
  }
  const flopsPerExample = countFlops(graph);
  return {
    ops: Object.fromEntries([...ops].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    parameterCount,
    ...(flopsPerExample === undefined ? {} : { flopsPerExample }),
  };
}
