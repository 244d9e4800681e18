import { join } from "node:path";

import type { NamedNode } from "@ckpt/graph";
import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  manifestNames,
  readDocument,
  type Sealed,
} from "@ckpt/manifest";

import { type ArtifactGraph, findGraphFormat, type GraphConstant, readArtifactGraph } from "./read-artifact-graph.js";

/** How two artifacts differ; what is told of either is in the order they were given. */
export interface ArtifactComparison {
  readonly manifests: readonly [Sealed<ArtifactManifest>, Sealed<ArtifactManifest>];
  /** Not set when there is no format with a readable graph that both have. */
  readonly graph?: GraphComparison;
}

/** How two graphs differ, node by node under the same name. */
export interface GraphComparison {
  /** The format that was read of both. */
  readonly format: ArtifactFormat;
  /** Names of the nodes that only one has. */
  readonly onlyIn: readonly [readonly string[], readonly string[]];
  /** Nodes that are of another operation or read other nodes. */
  readonly changed: readonly string[];
  /** Constants that both have, equal or not. */
  readonly weightCount: number;
  /** Constants that differ, in the order of the first graph. */
  readonly weights: readonly WeightDifference[];
}

/** How far two constants of the same name are apart. */
export interface WeightDifference {
  readonly name: string;
  readonly shapes: readonly [readonly number[], readonly number[]];
  /** Largest |second - first|; not set where shape or dtype differ. */
  readonly maxAbsoluteDifference?: number;
  /** Square root of the mean of (second - first)^2; not set where shape or dtype differ. */
  readonly rmsDifference?: number;
}

/**
 * Compares two artifacts: their graphs and weights from a format that both have, the unquantized ones first.
 *
 * @throws {CkptError} what `readDocument` throws; a damaged file by name.
 */
export async function compareArtifacts(first: string, second: string): Promise<ArtifactComparison> {
  const manifests = [await readManifest(first), await readManifest(second)] as const;
  const format = findGraphFormat(manifests);
  if (format === undefined) return { manifests };
  const graphs = [
    await readArtifactGraph(first, manifests[0], format),
    await readArtifactGraph(second, manifests[1], format),
  ] as const;
  return { manifests, graph: compareGraphs(...graphs) };
}

function readManifest(path: string): Promise<Sealed<ArtifactManifest>> {
  return readDocument(artifactManifestType, join(path, manifestNames.artifact));
}

function compareGraphs(first: ArtifactGraph, second: ArtifactGraph): GraphComparison {
  const seconds = new Map(second.nodes.map((node) => [node.name, node]));
  const firsts = new Set(first.nodes.map(({ name }) => name));
  const isChanged = (node: NamedNode): boolean => {
    const other = seconds.get(node.name);
    return other !== undefined && (other.op !== node.op || other.inputs.join() !== node.inputs.join());
  };
  const pairs = [...first.constants].flatMap(([name, constant]) => {
    const other = second.constants.get(name);
    return other === undefined ? [] : [{ name, constant, other }];
  });
  return {
    format: first.format,
    onlyIn: [
      first.nodes.flatMap(({ name }) => (seconds.has(name) ? [] : [name])),
      second.nodes.flatMap(({ name }) => (firsts.has(name) ? [] : [name])),
    ],
    changed: first.nodes.filter(isChanged).map(({ name }) => name),
    weightCount: pairs.length,
    weights: pairs.flatMap(({ name, constant, other }) => compareConstants(name, constant, other)),
  };
}

/** Nothing for equal ones. */
function compareConstants(name: string, first: GraphConstant, second: GraphConstant): readonly WeightDifference[] {
  const shapes = [first.shape, second.shape] as const;
  if (first.dtype !== second.dtype || first.shape.join() !== second.shape.join()) return [{ name, shapes }];
  let maxAbsoluteDifference = 0;
  let squares = 0;
  for (let at = 0; at < first.values.length; at++) {
    const [one = 0, other = 0] = [first.values[at], second.values[at]];
    if (Object.is(one, other)) continue;
    const difference = Math.abs(other - one);
    // A number and a NaN are as far apart as can be.
    maxAbsoluteDifference = Math.max(maxAbsoluteDifference, Number.isNaN(difference) ? Infinity : difference);
    squares += Number.isNaN(difference) ? Infinity : difference ** 2;
  }
  if (maxAbsoluteDifference === 0) return [];
  return [{ name, shapes, maxAbsoluteDifference, rmsDifference: Math.sqrt(squares / first.values.length) }];
}
