import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type GraphDef,
  type NamedNode,
  parseGraphDef,
  parseGraphDefText,
  parseSavedModel,
  readConstants,
  type TensorValues,
} from "@ckpt/graph";
import { type ArtifactFormat, type ArtifactManifest, formatPaths, listFormatFiles, verifyFiles } from "@ckpt/manifest";

import { savedModelFile } from "./emit-formats.js";
import { joinShards } from "./model-files.js";
import { readGraphModel } from "./read-graph-model.js";
import { decodeSavedWeights } from "./saved-weights.js";

/** A constant of a graph. */
export interface GraphConstant {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** A frozen graph as it stands in a file. */
export interface ArtifactGraph {
  /** The format it was read from. */
  readonly format: ArtifactFormat;
  readonly nodes: readonly NamedNode[];
  /** By node name. */
  readonly constants: ReadonlyMap<string, GraphConstant>;
}

/** The formats that hold a graph in TensorFlow's form, the unfused and unquantized ones first. */
export const graphFormats = ["graph-def", "saved-model", "graph-def-text", "graph-model"] as const;

/** One of {@link graphFormats}. */
export type GraphFormat = (typeof graphFormats)[number];

/**
 * Reads the graph of an artifact from its files, which are checked against the manifest first.
 *
 * @param format - One that the artifact has.
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or UNSAFE_PATH of a damaged file; MODEL_UNREADABLE.
 */
export async function readArtifactGraph(
  path: string,
  manifest: ArtifactManifest,
  format: GraphFormat,
): Promise<ArtifactGraph> {
  const place = formatPaths[format];
  const [problem] = await verifyFiles(path, listFormatFiles(manifest, format));
  if (problem !== undefined) throw problem;
  return { format, ...(await readers[format](join(path, place))) };
}

/** The format to read the graphs of all these artifacts from; `undefined` when they have none in common. */
export function findGraphFormat(manifests: readonly ArtifactManifest[]): GraphFormat | undefined {
  return graphFormats.find((format) => manifests.every(({ formats }) => formats.includes(format)));
}

type Content = Omit<ArtifactGraph, "format">;

const readers: Readonly<Record<GraphFormat, (path: string) => Promise<Content>>> = {
  "graph-def": async (path) => readContent(parseGraphDef(await readFile(path), path)),
  "graph-def-text": async (path) => readContent(parseGraphDefText(await readFile(path), path)),
  "saved-model": async (path) => {
    const file = join(path, savedModelFile);
    return readContent(parseSavedModel(await readFile(file), file).graphDef);
  },
  "graph-model": async (path) => {
    const { modelTopology, weightSpecs = [], weightData = [] } = await readGraphModel(path);
    const shards = Array.isArray(weightData) ? weightData : [weightData];
    const { node } = modelTopology as { readonly node: readonly Partial<NodeJson>[] };
    return {
      nodes: node.map(({ name = "", op = "", input = [] }) => toNamedNode({ name, op, input })),
      constants: decodeSavedWeights(joinShards(shards.map((shard) => new Uint8Array(shard))), weightSpecs, path),
    };
  },
};

/** A node as the JSON of a GraphModel has it, and a message of a GraphDef. */
interface NodeJson {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
}

function readContent(graphDef: GraphDef): Content {
  return { nodes: graphDef.node.map(toNamedNode), constants: readConstants(graphDef) };
}

function toNamedNode({ name, op, input }: NodeJson): NamedNode {
  // `^node` is a control dependency, `node:1` the second output.
  const inputs = input.filter((each) => !each.startsWith("^")).map((each) => each.replace(/:\d+$/, ""));
  return { name, op, inputs };
}
