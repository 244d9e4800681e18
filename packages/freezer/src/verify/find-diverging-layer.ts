import type { Graph } from "@ckpt/graph";
import type { TensorData } from "@ckpt/manifest";

import { compareOutputs } from "./compare-outputs.js";
import type { LayerValues, NodeValue } from "./runner.js";

/** Where a format leaves the model it was made from. */
export interface DivergingLayer {
  /** Path of the layer. */
  readonly layer: string;
  /** Largest absolute error of what comes closest to the layer's output; absent where the format has nothing like it. */
  readonly layerError?: number;
}

/** What the model's layers give and what the format's nodes give, on the same inputs. */
export interface LayerComparison {
  readonly graph: Graph;
  readonly layers: readonly LayerValues[];
  readonly values: readonly NodeValue[];
  /** Largest accepted absolute error, times the value's largest magnitude where that is above 1. */
  readonly tolerance: number;
}

/**
 * The first layer whose output a format does not compute, or `undefined` where it computes all of them. A format need
 * not hold the output of every layer (a batch normalization is folded into the convolution before it), so a layer does
 * not count while one that builds on it is right. Of layers that became one operation the first is named.
 */
export function findDivergingLayer({ graph, layers, values, tolerance }: LayerComparison): DivergingLayer | undefined {
  const bySize = groupBy(values, ({ tensor }) => tensor.data.length);
  const findEqual = (expected: TensorData): NodeValue | undefined =>
    bySize.get(expected.data.length)?.find(({ tensor }) => isClose(expected, tensor, tolerance));

  const right = new Set<string>();
  const wrong: string[] = [];
  for (const [layer, calls] of groupBy(layers, ({ layer }) => layer)) {
    const found = calls.map(({ outputs }) => outputs.map(findEqual).find((value) => value !== undefined));
    if (found.some((value) => value === undefined)) wrong.push(layer);
    else for (const value of found) right.add(value?.node ?? "");
  }
  const layer = wrong.find((each) => {
    const own = graph.nodes.filter((node) => isWithin(node.layer, each) && node.op !== "Const");
    return own.length > 0 && !leadsTo(graph, new Set(own.map(({ name }) => name)), right);
  });
  return layer === undefined ? undefined : { layer, ...findError(layer, graph, layers, bySize) };
}

function isClose(expected: TensorData, found: TensorData, tolerance: number): boolean {
  const { maxAbsoluteError, magnitude } = compareOutputs(expected.data, found.data);
  return maxAbsoluteError <= tolerance * Math.max(1, magnitude);
}

/** Whether a node's layer is the layer or one that it holds. */
function isWithin(path: string, layer: string): boolean {
  return path === layer || path.startsWith(`${layer}/`);
}

/** Whether one of the targets is computed from one of the sources, or is one. */
function leadsTo(graph: Graph, sources: ReadonlySet<string>, targets: ReadonlySet<string>): boolean {
  const reached = new Set(sources);
  for (const node of graph.nodes) {
    if (node.inputs.some((input) => reached.has(input.node))) reached.add(node.name);
    if (reached.has(node.name) && targets.has(node.name)) return true;
  }
  return false;
}

/** Of the calls of a layer the one furthest from the format; what comes closest to a call stands for it. */
function findError(
  layer: string,
  graph: Graph,
  layers: readonly LayerValues[],
  bySize: ReadonlyMap<number, readonly NodeValue[]>,
): Pick<DivergingLayer, "layerError"> {
  const own = new Set(graph.nodes.filter((node) => isWithin(node.layer, layer)).map(({ name }) => name));
  const calls = layers.filter((call) => call.layer === layer);
  const errors = calls.map(({ outputs }) =>
    outputs.flatMap(({ data }) =>
      (bySize.get(data.length) ?? [])
        .filter(({ node }) => own.has(node))
        .map(({ tensor }) => compareOutputs(data, tensor.data).maxAbsoluteError),
    ),
  );
  const smallest = errors.filter((each) => each.length > 0).map((each) => Math.min(...each));
  return smallest.length === 0 ? {} : { layerError: Math.max(...smallest) };
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
