import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ImportPlan, WeightData } from "@ckpt/graph";
import { CkptError, digestBytes } from "@ckpt/manifest";
import { openBundle } from "@ckpt/tensor-bundle";

import { type GraphRequest, type PlannedGraph, planGraph } from "./plan-graph.js";
import { digestTensorFlowSource, savedModelGraph, savedModelVariables } from "./read-tensorflow-source.js";
import { readVariables } from "./read-variables.js";
import type { TensorFlowSource } from "./source.js";

/** A graph of TensorFlow with the values of its variables. */
export interface LoadedGraph extends PlannedGraph {
  readonly source: TensorFlowSource;
  /** SHA-256 over the graph and the variables that are not float32, which decide which operations run. */
  readonly topologyDigest: string;
  /** By name of the variable's node. */
  readonly values: ReadonlyMap<string, WeightData>;
}

/**
 * Makes a function that reads a graph and its variables. A graph that is the same as that of the source before, to the byte,
 * is planned once. The function throws what `planGraph` and `readVariables` throw, and DIGEST_MISMATCH for files that are
 * not what the source was read from any more.
 */
export function createGraphLoader(request: GraphRequest): (source: TensorFlowSource) => Promise<LoadedGraph> {
  let kept: { readonly graphDigest: string; readonly planned: PlannedGraph } | undefined;
  return async (source) => {
    const { path } = source;
    const found = await digestTensorFlowSource(source);
    if (found !== source.digest) throw new CkptError("DIGEST_MISMATCH", { path, expected: source.digest, found });
    const isSavedModel = source.kind === "saved-model";
    const file = isSavedModel ? join(path, savedModelGraph) : source.graph;
    const bytes = await readFile(file);
    const graphDigest = digestBytes(bytes);
    if (kept?.graphDigest !== graphDigest) kept = { graphDigest, planned: planGraph(bytes, { file, path }, request) };
    const { planned } = kept;
    const prefix = isSavedModel ? savedModelVariables(path) : path;
    const values = await readValues(prefix, planned.plan, request);
    return { ...planned, source, topologyDigest: digestTopology(graphDigest, values), values };
  };
}

async function readValues(
  prefix: string,
  { variables }: ImportPlan,
  { isAveraged }: GraphRequest,
): Promise<ReadonlyMap<string, WeightData>> {
  // A SavedModel whose variables are frozen has no bundle.
  if (variables.length === 0) return new Map();
  const bundle = await openBundle(prefix);
  try {
    return await readVariables(bundle, variables, { isAveraged: isAveraged === true });
  } finally {
    await bundle.close();
  }
}

function digestTopology(graphDigest: string, values: ReadonlyMap<string, WeightData>): string {
  const fixed = [...values].filter(([, { dtype }]) => dtype !== "float32");
  const lines = fixed.map(
    ([
      node,
      {
        values: { buffer, byteOffset, byteLength },
      },
    ]) => {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      return `${node} ${digestBytes(bytes)}`;
    },
  );
  return digestBytes([graphDigest, ...lines].join("\n"));
}
