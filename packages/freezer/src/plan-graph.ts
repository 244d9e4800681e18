import { basename } from "node:path";

import {
  type GraphDef,
  type ImportedOutput,
  type ImportedSignature,
  type ImportPlan,
  listOutputCandidates,
  parseGraphDef,
  parseGraphDefText,
  parseMetaGraph,
  parseMetaGraphs,
  planImport,
  servingSignatureKey,
} from "@ckpt/graph";
import { CkptError } from "@ckpt/manifest";

import type { ArtifactRequest } from "./freeze-options.js";
import { savedModelGraph } from "./read-tensorflow-source.js";

/** What of a graph is frozen. */
export type GraphRequest = Pick<ArtifactRequest, "cut" | "pins" | "signatureKey" | "isAveraged" | "furtherSignatures">;

/** A graph of TensorFlow with its variables still open. */
export interface PlannedGraph {
  readonly plan: ImportPlan;
  /** What the signature calls placeholders, by name of their node; others go by that. */
  readonly inputNames: ReadonlyMap<string, string>;
}

/** As many as one looks through. */
const candidateCount = 10;

/** The tag of the graph that a SavedModel has for inference. */
const servingTag = "serve";

/**
 * Plans what is frozen of the graph in a file: `.meta`, `saved_model.pb`, or a GraphDef, binary or `.pbtxt`.
 *
 * @param file - Path of the file.
 * @param path - Of the model; named in errors.
 * @throws {CkptError} OUTPUTS_NOT_NAMED with the likeliest ones; INVALID_OPTION for a signature, an output, an input or a
 *   pin that the graph does not have; MODEL_UNREADABLE for a graph that cannot be read or depends on what is not pinned.
 */
export function planGraph(
  bytes: Uint8Array,
  { file, path }: { readonly file: string; readonly path: string },
  { cut, pins = {}, signatureKey, furtherSignatures }: GraphRequest,
): PlannedGraph {
  if (furtherSignatures !== undefined) {
    const expected = "none for a graph of TensorFlow, which is frozen for one signature";
    const found = Object.keys(furtherSignatures).join(", ");
    throw new CkptError("INVALID_OPTION", { option: "--further-signature", expected, found });
  }
  if (cut?.inputs !== undefined) {
    const expected = "none for a graph of TensorFlow, whose inputs are placeholders: pin those that are not to be fed";
    throw new CkptError("INVALID_OPTION", { option: "--inputs", expected, found: cut.inputs.join(", ") });
  }
  const { graphDef, signatures } = parseGraph(bytes, file);
  const signature = chooseSignature(signatures, signatureKey);
  const outputs = chooseOutputs(signature, cut?.outputs);
  if (outputs.length === 0) {
    const isBeside = file === `${path}.meta` || basename(file) === savedModelGraph;
    const candidates = listOutputCandidates(graphDef, path).slice(0, candidateCount);
    throw new CkptError("OUTPUTS_NOT_NAMED", { path, ...(isBeside ? {} : { graph: file }), candidates });
  }
  return {
    plan: planImport(graphDef, { path, outputs, pins }),
    inputNames: new Map(Object.entries(signature?.inputs ?? {}).map(([name, tensor]) => [nodeOf(tensor), name])),
  };
}

interface ParsedGraph {
  readonly graphDef: GraphDef;
  readonly signatures: Readonly<Record<string, ImportedSignature>>;
}

function parseGraph(bytes: Uint8Array, file: string): ParsedGraph {
  if (file.endsWith(".meta")) return parseMetaGraph(bytes, file);
  if (file.endsWith(".pbtxt")) return { graphDef: parseGraphDefText(bytes, file), signatures: {} };
  if (basename(file) !== savedModelGraph) return { graphDef: parseGraphDef(bytes, file), signatures: {} };
  const graphs = parseMetaGraphs(bytes, file);
  const found = graphs.find(({ tags }) => tags.includes(servingTag));
  if (found !== undefined) return found;
  throw new CkptError("MODEL_UNREADABLE", {
    path: file,
    reason: `no graph with the tag ${servingTag} in it, only ${graphs.map(({ tags }) => tags.join("+")).join(", ")}`,
    remedy: "Export the model for serving.",
  });
}

function chooseSignature(
  signatures: ParsedGraph["signatures"],
  key: string | undefined,
): ImportedSignature | undefined {
  const found = Object.hasOwn(signatures, key ?? servingSignatureKey)
    ? signatures[key ?? servingSignatureKey]
    : undefined;
  if (found !== undefined || key === undefined) return found;
  // TensorFlow 2 adds a signature of its own, which has no outputs that anybody wants.
  const known = Object.keys(signatures).filter((name) => !name.startsWith("__"));
  const expected = known.length === 0 ? "none, the graph has no signatures" : `one of ${known.join(", ")}`;
  throw new CkptError("INVALID_OPTION", { option: "--signature", expected, found: key });
}

/** Outputs by the names of the signature, else nodes or tensors of the graph. */
function chooseOutputs(
  signature: ImportedSignature | undefined,
  names: readonly string[] | undefined,
): readonly ImportedOutput[] {
  const signed = signature?.outputs ?? {};
  return (names ?? Object.keys(signed)).map((given) => {
    const name = given.replace(/:0$/, "");
    return { name, tensor: (Object.hasOwn(signed, name) ? signed[name] : undefined) ?? name };
  });
}

function nodeOf(tensor: string): string {
  return tensor.replace(/:\d+$/, "");
}
