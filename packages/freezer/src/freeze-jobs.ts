import { type ArtifactManifest, isCkptError, leaseFolder } from "@ckpt/manifest";

import { findArtifact, requireReplaceable } from "./artifact-folder.js";
import { bindSavedWeights } from "./bind-saved-weights.js";
import { chooseFormats } from "./choose-formats.js";
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
  { onProgress = () => {}, isSkippingRemoved = false, ...formatOptions }: FreezeJobsOptions,
): Promise<readonly FreezeResult[]> {
  const choice = chooseFormats(formatOptions);
  const results: FreezeResult[] = [];
  let template: FreezeTemplate | undefined;
  const freezeLoaded = async ({ source, out }: FreezeJob): Promise<FreezeResult> => {
    const loaded = await loadModel(source);
    if (template?.topologyDigest === loaded.topologyDigest) await assignWeights(template, loaded);
    else {
      if (template !== undefined) disposeTemplate(template);
      template = undefined;
      template = await captureTemplate(loaded);
      const { topologyDigest, graph } = template;
      onProgress({ kind: "captured", source: source.path, topologyDigest, nodeCount: graph.graph.nodes.length });
    }
    const graph = bindSavedWeights(template.graph, loaded.weights, source.path);
    return writeArtifact(template, source, graph, { choice, onProgress, out });
  };
  /** `undefined` for a checkpoint that is left out. */
  const freezeModel = async (job: FreezeJob): Promise<FreezeResult | undefined> => {
    const { source, out } = job;
    const manifest = await findArtifact(out, { sourceDigest: source.digest, ...choice });
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
