import type { Graph, GraphTemplate } from "@ckpt/graph";
import { isCkptError, leaseFolder } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { findArtifact, requireReplaceable } from "./artifact-folder.js";
import { bindSavedWeights } from "./bind-saved-weights.js";
import type { EarlierArtifact } from "./earlier-artifact.js";
import type { ArtifactRequest, FreezeResult, PieceOptions } from "./freeze-options.js";
import { captureTemplate, type FreezeTemplate } from "./freeze-template.js";
import { loadModel } from "./load-model.js";
import type { FreezeProgress } from "./progress.js";
import { readProbe } from "./read-probe.js";
import { bindContent } from "./saved-model-signatures.js";
import type { ModelSource } from "./source.js";
import { writeArtifact } from "./write-artifact.js";

/** A model to be frozen and the folder its artifact goes to. Plain data. */
export interface FreezeJob {
  readonly source: ModelSource;
  readonly out: string;
}

/** What all jobs have in common. Plain data. */
export interface JobRequest extends ArtifactRequest {
  /** A checkpoint that its run has removed meanwhile is left out, with a `skipped` event, instead of being an error. */
  readonly isSkippingRemoved: boolean;
}

/** Freezes one model after the other. */
export interface JobFreezer {
  /**
   * Freezes a model; `undefined` for one that is left out. A checkpoint is leased meanwhile, so that the run's trainer does
   * not remove it.
   *
   * @param earlier - Files that are the same in it are not written again.
   */
  freeze(
    job: FreezeJob,
    earlier: EarlierArtifact | undefined,
    onProgress: (progress: FreezeProgress) => void,
  ): Promise<FreezeResult | undefined>;
  /** Frees all tensors. */
  dispose(): void;
}

/** Captures a topology once for all jobs in a row that share it, and not at all for artifacts that are there already. */
export function createJobFreezer({ isSkippingRemoved, ...request }: JobRequest): JobFreezer {
  let kept: { readonly topologyDigest: string; readonly template: FreezeTemplate } | undefined;
  const dispose = (): void => {
    kept?.template.dispose();
    kept = undefined;
  };
  const { cut, furtherSignatures } = request;
  const piece: PieceOptions = { ...cut, ...(furtherSignatures === undefined ? {} : { furtherSignatures }) };
  const freezeLoaded: JobFreezer["freeze"] = async ({ source, out }, earlier, onProgress) => {
    const loaded = await loadModel(source);
    const { topologyDigest } = loaded;
    if (kept?.topologyDigest === topologyDigest) await kept.template.assignWeights(loaded);
    else {
      dispose();
      kept = { topologyDigest, template: await captureTemplate(loaded, piece) };
      const nodeCount = kept.template.graph.graph.nodes.length;
      onProgress({ kind: "captured", source: source.path, topologyDigest, nodeCount });
      for (const reason of kept.template.corrections) {
        onProgress({ kind: "corrected", source: source.path, backend: tf.getBackend(), reason });
      }
    }
    const { graph, shared, reference, createReference } = kept.template;
    const { kind, digest } = source;
    const bind = (template: GraphTemplate): Graph => bindSavedWeights(template, loaded.weights, source.path);
    const further =
      shared === undefined
        ? {}
        : { further: { ...bindContent(bind(shared), graph.signature, furtherSignatures ?? {}), createReference } };
    return writeArtifact(
      {
        graph: bind(graph),
        ...further,
        signature: graph.signature,
        probeShapes: graph.probeShapes,
        probe: await readProbe(source),
        reference,
        source: source.kind === "checkpoint" ? { kind, digest, step: source.step } : { kind, digest },
        label: source.path,
      },
      { ...request, out, onProgress, earlier },
    );
  };
  return {
    freeze: async (job, earlier, onProgress) => {
      const { source, out } = job;
      const found = await findArtifact(out, source.digest, request);
      if (found !== undefined) return found;
      await requireReplaceable(out);
      if (source.kind !== "checkpoint") return freezeLoaded(job, earlier, onProgress);
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
        return await freezeLoaded(job, earlier, onProgress);
      } finally {
        await lease.release();
      }
    },
    dispose,
  };
}
