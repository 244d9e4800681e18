import { join, resolve } from "node:path";

import { type Graph, type GraphTemplate, measureGraph, type ModelCut } from "@ckpt/graph";
import {
  type ArtifactManifest,
  artifactManifestType,
  manifestNames,
  type ParityRecord,
  readDocument,
  type Signature,
  stageFolder,
} from "@ckpt/manifest";

import { type EarlierArtifact, writeOrLink } from "./earlier-artifact.js";
import { emitFormats } from "./emit-formats.js";
import type { ArtifactRequest, FreezeResult } from "./freeze-options.js";
import type { FreezeProgress } from "./progress.js";
import type { ProbeInput } from "./read-probe.js";
import { type BoundPiece, listPieces, type SavedModelContent } from "./saved-model-signatures.js";
import type { ReferenceRunner } from "./verify/runner.js";
import { verifyFormats, type VerifyFormatsOptions } from "./verify/verify-formats.js";

/** A computation with its weights in place, and what it is compared with. */
export interface BoundSource {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly probeShapes: GraphTemplate["probeShapes"];
  /** Rows of real data that it carries. */
  readonly probe: readonly ProbeInput[];
  /** The model itself, with the same weights. */
  readonly reference: ReferenceRunner;
  /** What the SavedModel holds, where it has several signatures, and what the further ones are compared with. */
  readonly further?: FurtherContent;
  /** What the manifest says of it. */
  readonly source: ArtifactManifest["source"];
  /** What progress calls it: its path, or its name. */
  readonly label: string;
}

/** A SavedModel with several signatures, and the model they are pieces of. */
export interface FurtherContent extends SavedModelContent {
  readonly createReference: (piece: ModelCut) => ReferenceRunner;
}

/** Where an artifact goes, and what it is held to. */
export interface WriteArtifactOptions extends ArtifactRequest {
  /** The artifact's folder; an artifact that is there is replaced. */
  readonly out: string;
  readonly onProgress: (progress: FreezeProgress) => void;
  /** Files that are the same are not written again. */
  readonly earlier?: EarlierArtifact | undefined;
}

/**
 * Writes a bound graph in every format, compares what was written with the model, and commits. When anything fails,
 * nothing stands at `out` that did not stand there before.
 *
 * @throws {CkptError} what `emitFormats` and `verifyFormats` throw; FILE_SYSTEM.
 */
export async function writeArtifact(
  { graph, signature, probeShapes, probe, reference, further, source, label }: BoundSource,
  { out, cut, pins, onProgress, earlier, ...request }: WriteArtifactOptions,
): Promise<FreezeResult> {
  const { furtherSignatures: _named, signatureKey: _key, isAveraged: _averages, ...choice } = request;
  // Resolved, so that `.` and `..` have a parent to be staged in.
  const staged = await stageFolder(resolve(out), { isReplacing: true });
  try {
    for (const file of emitFormats(graph, choice, source.digest, further)) await writeOrLink(staged, file, earlier);
    const figures = measureGraph(graph);
    // Of the whole, so that a piece is at most that costly.
    const { flopsPerExample } = further === undefined ? figures : measureGraph(further.graph);
    const place = { folder: staged.path, choice, probe, artifact: out, savedModel: further, flopsPerExample };
    const own = await verifyFormats({ ...place, graph, signature, probeShapes, reference });
    const pieces = further === undefined ? [] : listPieces(further, probeShapes);
    const parity = [...own.parity, ...(await verifyPieces(pieces, further, place))];
    for (const progress of describeParity(label, parity)) onProgress(progress);
    for (const format of own.unverified) onProgress({ kind: "unverified", source: label, ...format });
    await staged.commit(manifestNames.artifact, (files): ArtifactManifest => ({
      kind: artifactManifestType.kind,
      schemaVersion: artifactManifestType.schemaVersion,
      source,
      ...(cut === undefined ? {} : { cut }),
      ...(pins === undefined ? {} : { pins }),
      signature,
      ...(pieces.length === 0
        ? {}
        : { furtherSignatures: Object.fromEntries(pieces.map((piece) => [piece.key, piece.signature])) }),
      ...choice,
      graph: figures,
      parity,
      files,
    }));
    const manifest = await readDocument(artifactManifestType, join(out, manifestNames.artifact));
    return { path: out, manifest, isReused: false, unverified: own.unverified };
  } catch (error) {
    await staged.abandon();
    throw error;
  }
}

/** The further signatures, each as a model of its own, in what was written of the SavedModel. */
async function verifyPieces(
  pieces: readonly BoundPiece[],
  further: FurtherContent | undefined,
  place: Omit<VerifyFormatsOptions, "graph" | "signature" | "probeShapes" | "reference">,
): Promise<readonly ParityRecord[]> {
  if (further === undefined) return [];
  const { graph, createReference } = further;
  const parity: ParityRecord[] = [];
  for (const { key: signatureKey, signature, probeShapes } of pieces) {
    const reference = createReference({
      inputs: signature.inputs.map(({ name }) => name),
      outputs: signature.outputs.map(({ name }) => name),
    });
    const choice = { ...place.choice, formats: ["saved-model"] as const };
    const options = { ...place, choice, graph, signature, signatureKey, probeShapes, reference };
    parity.push(...(await verifyFormats(options)).parity);
  }
  return parity;
}

/** One line of progress for each format and engine, whatever the number of outputs. */
function describeParity(source: string, parity: readonly ParityRecord[]): readonly FreezeProgress[] {
  const byRunner = new Map<string, FreezeProgress & { kind: "verified" }>();
  for (const { format, engine, maxAbsoluteError } of parity) {
    const key = `${format} ${engine}`;
    const largest = Math.max(maxAbsoluteError, byRunner.get(key)?.maxAbsoluteError ?? 0);
    byRunner.set(key, { kind: "verified", source, format, engine, maxAbsoluteError: largest });
  }
  return [...byRunner.values()];
}
