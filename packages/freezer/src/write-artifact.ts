import { join, resolve } from "node:path";

import { type Graph, type GraphTemplate, measureGraph } from "@ckpt/graph";
import {
  type ArtifactFormat,
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
import type { ReferenceRunner } from "./verify/runner.js";
import { verifyFormats } from "./verify/verify-formats.js";

/** A computation with its weights in place, and what it is compared with. */
export interface BoundSource {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly probeShapes: GraphTemplate["probeShapes"];
  /** Rows of real data that it carries. */
  readonly probe: readonly ProbeInput[];
  /** The model itself, with the same weights. */
  readonly reference: ReferenceRunner;
  /** What the manifest says of it. */
  readonly source: ArtifactManifest["source"];
  /** What progress calls it: its path, or its name. */
  readonly label: string;
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
  { graph, signature, probeShapes, probe, reference, source, label }: BoundSource,
  { out, cut, pins, onProgress, earlier, formats, tolerance, quantization }: WriteArtifactOptions,
): Promise<FreezeResult> {
  const choice = { formats, tolerance, ...(quantization === undefined ? {} : { quantization }) };
  // Resolved, so that `.` and `..` have a parent to be staged in.
  const staged = await stageFolder(resolve(out), { isReplacing: true });
  try {
    for (const file of emitFormats(graph, choice, source.digest)) await writeOrLink(staged, file, earlier);
    const { parity, unverified } = await verifyFormats({
      folder: staged.path,
      choice,
      graph,
      signature,
      probeShapes,
      probe,
      reference,
      artifact: out,
    });
    for (const progress of describeParity(label, parity)) onProgress(progress);
    for (const format of unverified) onProgress({ kind: "unverified", source: label, ...format });
    await staged.commit(manifestNames.artifact, (files): ArtifactManifest => ({
      kind: artifactManifestType.kind,
      schemaVersion: artifactManifestType.schemaVersion,
      source,
      ...(cut === undefined ? {} : { cut }),
      ...(pins === undefined ? {} : { pins }),
      signature,
      ...choice,
      graph: measureGraph(graph),
      parity,
      files,
    }));
    const manifest = await readDocument(artifactManifestType, join(out, manifestNames.artifact));
    return { path: out, manifest, isReused: false, unverified };
  } catch (error) {
    await staged.abandon();
    throw error;
  }
}

/** One line of progress for each format, whatever the number of its outputs. */
function describeParity(source: string, parity: readonly ParityRecord[]): readonly FreezeProgress[] {
  const byFormat = new Map<ArtifactFormat, FreezeProgress & { kind: "verified" }>();
  for (const { format, engine, maxAbsoluteError } of parity) {
    const largest = Math.max(maxAbsoluteError, byFormat.get(format)?.maxAbsoluteError ?? 0);
    byFormat.set(format, { kind: "verified", source, format, engine, maxAbsoluteError: largest });
  }
  return [...byFormat.values()];
}
