import {
  type ArtifactFormat,
  artifactFormats,
  type ArtifactManifest,
  CkptError,
  isCkptError,
  leaseFolder,
} from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import { findArtifact, requireReplaceable } from "./artifact-folder.js";
import { bindSavedWeights } from "./bind-saved-weights.js";
import type { FormatOptions, FreezeResult, UnverifiedFormat } from "./freeze-options.js";
import { assignWeights, captureTemplate, disposeTemplate, type FreezeTemplate } from "./freeze-template.js";
import { loadModel } from "./load-model.js";
import type { ModelSource } from "./source.js";
import { writeArtifact } from "./write-artifact.js";

/** A model to be frozen and the folder its artifact goes to. */
export interface FreezeJob {
  readonly source: ModelSource;
  readonly out: string;
}

/** How a list of jobs is done. */
export interface FreezeJobsOptions extends FormatOptions {
  /** A checkpoint that its run has removed meanwhile is left out, with a `skipped` event. Default: false, an error. */
  readonly isSkippingRemoved?: boolean;
}

/**
 * Freezes models one after the other. A topology is captured once for all jobs in a row that share it, and not at all
 * for artifacts that are there already. No tensor stays behind. A checkpoint is leased while it is worked on, so that the
 * run's trainer does not remove it.
 *
 * @throws {CkptError} at the first job that fails; the artifacts of the jobs before it stay.
 */
export async function runFreezeJobs(
  jobs: readonly FreezeJob[],
  { formats, tolerance = 1e-5, onProgress = () => {}, isSkippingRemoved = false }: FreezeJobsOptions,
): Promise<readonly FreezeResult[]> {
  const writeOptions = { formats: chooseFormats(formats), tolerance: checkTolerance(tolerance), onProgress };
  const results: FreezeResult[] = [];
  let template: FreezeTemplate | undefined;
  const freezeLoaded = async ({ source, out }: FreezeJob): Promise<FreezeResult> => {
    const loaded = await loadModel(source);
    if (template?.topologyDigest === loaded.topologyDigest) await assignWeights(template, loaded);
    else {
      if (template !== undefined) disposeTemplate(template);
      template = undefined;
      template = await captureTemplate(loaded);
      const { topologyDigest, graph, corrections } = template;
      onProgress({ kind: "captured", source: source.path, topologyDigest, nodeCount: graph.graph.nodes.length });
      for (const reason of corrections) {
        onProgress({ kind: "corrected", source: source.path, backend: tf.getBackend(), reason });
      }
    }
    const graph = bindSavedWeights(template.graph, loaded.weights, source.path);
    return writeArtifact(template, source, graph, { ...writeOptions, out });
  };
  /** `undefined` for a checkpoint that is left out. */
  const freezeModel = async (job: FreezeJob): Promise<FreezeResult | undefined> => {
    const { source, out } = job;
    const manifest = await findArtifact(out, { sourceDigest: source.digest, ...writeOptions });
    if (manifest !== undefined) return { path: out, manifest, isReused: true, unverified: listUnverified(manifest) };
    await requireReplaceable(out);
    if (source.kind !== "checkpoint") return freezeLoaded(job);
    const lease = await leaseFolder(source.path).catch((error: unknown) => {
      if (isSkippingRemoved && isCkptError(error, "MANIFEST_MISSING")) return undefined;
      throw error;
    });
    if (lease === undefined) {
      const reason = `${source.path}: removed by its run before it could be frozen`;
      onProgress({ kind: "skipped", source: source.path, step: source.step, reason });
      return undefined;
    }
    try {
      return await freezeLoaded(job);
    } finally {
      await lease.release();
    }
  };
  try {
    for (const [index, { source, out }] of jobs.entries()) {
      const result = await freezeModel({ source, out });
      if (result === undefined) continue;
      results.push(result);
      onProgress({
        kind: "artifact",
        source: source.path,
        path: result.path,
        ...(source.kind === "checkpoint" ? { step: source.step } : {}),
        sizeBytes: result.manifest.files.reduce((size, file) => size + file.sizeBytes, 0),
        parity: result.manifest.parity,
        isReused: result.isReused,
        index: index + 1,
        count: jobs.length,
      });
    }
  } finally {
    if (template !== undefined) disposeTemplate(template);
  }
  return results;
}

/** An artifact keeps no reasons, but what was compared has a record. */
function listUnverified({ formats, parity }: ArtifactManifest): readonly UnverifiedFormat[] {
  return formats
    .filter((format) => parity.every((record) => record.format !== format))
    .map((format) => ({ format, reason: "it was not compared when it was frozen" }));
}

/** The formats asked for, each once and in the order of `artifactFormats`, so that equal sets give equal manifests. */
function chooseFormats(formats: readonly ArtifactFormat[] = artifactFormats): readonly ArtifactFormat[] {
  const chosen = artifactFormats.filter((format) => formats.includes(format));
  const unknown = formats.filter((format) => !artifactFormats.includes(format));
  if (chosen.length > 0 && unknown.length === 0) return chosen;
  const expected = `one or more of ${artifactFormats.join(", ")}`;
  throw new CkptError("INVALID_OPTION", { option: "formats", expected, found: formats.join(", ") || "none" });
}

function checkTolerance(tolerance: number): number {
  if (tolerance >= 0) return tolerance;
  throw new CkptError("INVALID_OPTION", { option: "tolerance", expected: "0 or more", found: String(tolerance) });
}
