import { join, resolve } from "node:path";

import type { Graph } from "@ckpt/graph";
import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  manifestNames,
  type ParityRecord,
  readDocument,
  stageFolder,
} from "@ckpt/manifest";

import { emitFormats } from "./emit-formats.js";
import type { FreezeResult } from "./freeze-options.js";
import type { FreezeTemplate } from "./freeze-template.js";
import type { FreezeProgress } from "./progress.js";
import { readProbe } from "./read-probe.js";
import type { ModelSource } from "./source.js";
import { createLayersModelRunner } from "./verify/tfjs-runner.js";
import { verifyFormats } from "./verify/verify-formats.js";

/** Where an artifact goes, and what it is held to. */
export interface WriteArtifactOptions {
  /** The artifact's folder; an artifact that is there is replaced. */
  readonly out: string;
  readonly formats: readonly ArtifactFormat[];
  readonly tolerance: number;
  readonly onProgress: (progress: FreezeProgress) => void;
}

/**
 * Writes a bound graph in every format, compares what was written with the template's model, and commits. When
 * anything fails, nothing stands at `out` that did not stand there before.
 *
 * @throws {CkptError} UNSUPPORTED_OP before anything is written; what `verifyFormats` throws; FILE_SYSTEM.
 */
export async function writeArtifact(
  template: FreezeTemplate,
  source: ModelSource,
  graph: Graph,
  { out, formats, tolerance, onProgress }: WriteArtifactOptions,
): Promise<FreezeResult> {
  const { signature } = template.graph;
  const files = emitFormats(graph, formats, source.digest);
  // Resolved, so that `.` and `..` have a parent to be staged in.
  const staged = await stageFolder(resolve(out), { isReplacing: true });
  try {
    for (const { path, data } of files) await staged.write(path, data);
    const { parity, unverified } = await verifyFormats({
      folder: staged.path,
      formats,
      graph,
      signature,
      probe: await readProbe(source),
      reference: createLayersModelRunner(template.model),
      tolerance,
      artifact: out,
    });
    for (const progress of describeParity(source.path, parity)) onProgress(progress);
    for (const format of unverified) onProgress({ kind: "unverified", source: source.path, ...format });
    await staged.commit(manifestNames.artifact, (files): ArtifactManifest => ({
      kind: artifactManifestType.kind,
      schemaVersion: artifactManifestType.schemaVersion,
      source: describeSource(source),
      signature,
      formats,
      tolerance,
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

function describeSource(source: ModelSource): ArtifactManifest["source"] {
  const { kind, digest } = source;
  return source.kind === "checkpoint" ? { kind, digest, step: source.step } : { kind, digest };
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
