import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  bindSignature,
  type BoundSignature,
  convertGraphDefToGraphModel,
  expandForGraphDef,
  type Graph,
  type GraphDef,
  type GraphModel,
  parseGraphDef,
  parseGraphDefText,
  parseSavedModel,
} from "@ckpt/graph";
import { type ArtifactFormat, digestBytes, formatPaths, isCkptError, type Signature } from "@ckpt/manifest";

import { type FormatChoice, toGraphDefOptions } from "../choose-formats.js";
import { savedModelFile } from "../emit-formats.js";
import type { UnverifiedFormat } from "../freeze-options.js";
import { readGraphModel } from "../read-graph-model.js";
import type { SavedModelContent } from "../saved-model-signatures.js";
import { createOnnxRunner, loadOnnxRuntime } from "./onnx-runner.js";
import type { FormatRunner } from "./runner.js";
import { createGraphModelRunner } from "./tfjs-runner.js";

/** A format on disk, and what is needed to run it. */
export interface OpenFormatOptions {
  /** The folder that holds the formats. */
  readonly folder: string;
  readonly signature: Signature;
  /** What was emitted: a `.pb` does not say what its inputs and outputs are. */
  readonly graph: Graph;
  /** What the SavedModel was emitted from, where it has several signatures. */
  readonly savedModel?: SavedModelContent | undefined;
  /** Which of them to run. Default: `serving_default`. */
  readonly signatureKey?: string;
  readonly choice: Pick<FormatChoice, "maxUnrolledSteps">;
  /** Another format may hold the very same graph: {@link FormatRunner.digest} is wanted. Default: false. */
  readonly isShared?: boolean;
}

/**
 * Makes a format runnable from the files as they were written. ONNX runs in onnxruntime-node; where that is not
 * installed, the answer says so. The others run in TensorFlow.js: the `.pb` and the SavedModel by decoding their bytes
 * and executing the graph in them, operation by operation.
 */
export function openFormat(
  format: ArtifactFormat,
  options: OpenFormatOptions,
): Promise<FormatRunner | UnverifiedFormat> {
  return openers[format](join(options.folder, formatPaths[format]), options);
}

const openers: Readonly<
  Record<ArtifactFormat, (path: string, options: OpenFormatOptions) => Promise<FormatRunner | UnverifiedFormat>>
> = {
  "graph-model": async (path, { signature, graph, choice }) =>
    createGraphModelRunner(await readGraphModel(path), signature, expandForGraphDef(graph, toGraphDefOptions(choice))),
  "graph-def": async (path, options) =>
    openGraphDef(parseGraphDef(await readFile(path), path), bindSignature(options.graph), options),
  "graph-def-text": async (path, options) =>
    openGraphDef(parseGraphDefText(await readFile(path), path), bindSignature(options.graph), options),
  "saved-model": async (path, options) => {
    const { graph, savedModel, signatureKey } = options;
    const file = join(path, savedModelFile);
    const { graphDef, signature } = parseSavedModel(await readFile(file), file, signatureKey);
    return openGraphDef(graphDef, signature, { ...options, signature, graph: savedModel?.graph ?? graph });
  },
  onnx: async (path, { signature, graph }) => {
    try {
      return await createOnnxRunner(await loadOnnxRuntime(), path, signature, graph);
    } catch (error) {
      if (!isCkptError(error, "ENGINE_UNAVAILABLE")) throw error;
      return { format: "onnx", reason: error.message };
    }
  },
};

async function openGraphDef(
  graphDef: GraphDef,
  bound: BoundSignature,
  { signature, graph, choice, isShared = false }: OpenFormatOptions,
): Promise<FormatRunner> {
  const model = convertGraphDefToGraphModel(graphDef, bound);
  const digest = isShared ? { digest: digestGraphModel(model) } : {};
  const nodes = expandForGraphDef(graph, toGraphDefOptions(choice));
  return { ...(await createGraphModelRunner(model, signature, nodes, { isCorrected: true })), ...digest };
}

function digestGraphModel({ weightData, ...model }: GraphModel): string {
  return digestBytes(`${digestBytes(JSON.stringify(model))}\n${digestBytes(new Uint8Array(weightData))}`);
}
