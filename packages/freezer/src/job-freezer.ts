import { type ArtifactManifest, CkptError, isCkptError, leaseFolder } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { findArtifact, requireReplaceable } from "./artifact-folder.js";
import { bindSavedWeights } from "./bind-saved-weights.js";
import type { EarlierArtifact } from "./earlier-artifact.js";
import type { ArtifactRequest, FreezeResult, PieceOptions } from "./freeze-options.js";
import { captureTemplate } from "./freeze-template.js";
import { createGraphLoader, type LoadedGraph } from "./load-graph.js";
import { type LoadedModel, loadModel } from "./load-model.js";
import type { FreezeProgress } from "./progress.js";
import { readProbe } from "./read-probe.js";
import { bindContent } from "./saved-model-signatures.js";
import { isTensorFlowSource, type ModelSource, type TensorFlowSource, type TfjsModelSource } from "./source.js";
import { createTemplateKeeper, type TemplateKeeper } from "./template-keeper.js";
import { bindVariables, captureTensorFlowTemplate } from "./tensorflow-template.js";
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
  const { cut, furtherSignatures } = request;
  const piece: PieceOptions = { ...cut, ...(furtherSignatures === undefined ? {} : { furtherSignatures }) };
  const tfjsModels = createTemplateKeeper<TfjsModelSource, LoadedModel>({
    load: async (source) => {
      refuseGraphOptions(source, request);
      return loadModel(source);
    },
    capture: (loaded) => captureTemplate(loaded, piece),
    bind: (template, { weights, source }) => bindSavedWeights(template, weights, source.path),
  });
  const tensorFlowGraphs = createTemplateKeeper<TensorFlowSource, LoadedGraph>({
    load: createGraphLoader(request),
    capture: captureTensorFlowTemplate,
    bind: bindVariables,
  });
  const freezeLeased: JobFreezer["freeze"] = async ({ source, out }, earlier, onProgress) => {
    const onCaptured: Parameters<TemplateKeeper<ModelSource>["prepare"]>[1] = (template, topologyDigest) => {
      const nodeCount = template.graph.graph.nodes.length;
      onProgress({ kind: "captured", source: source.path, topologyDigest, nodeCount });
      for (const reason of template.corrections) {
        onProgress({ kind: "corrected", source: source.path, backend: tf.getBackend(), reason });
      }
    };
    const { template, graph, shared, reference, createReference } = isTensorFlowSource(source)
      ? await tensorFlowGraphs.prepare(source, onCaptured)
      : await tfjsModels.prepare(source, onCaptured);
    const further =
      shared === undefined
        ? {}
        : { further: { ...bindContent(shared, template.signature, furtherSignatures ?? {}), createReference } };
    return writeArtifact(
      {
        graph,
        ...further,
        signature: template.signature,
        probeShapes: template.probeShapes,
        probe: await readProbe(source),
        reference,
        source: describeSource(source, request),
        label: source.path,
      },
      { ...request, out, onProgress, earlier },
    );
  };
  return {
    freeze: async (job, earlier, onProgress) => {
      const { source, out } = job;
      const found = await findArtifact(out, describeSource(source, request), request);
      if (found !== undefined) return found;
      await requireReplaceable(out);
      if (source.kind !== "checkpoint") return freezeLeased(job, earlier, onProgress);
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
        return await freezeLeased(job, earlier, onProgress);
      } finally {
        await lease.release();
      }
    },
    dispose: () => {
      tfjsModels.dispose();
      tensorFlowGraphs.dispose();
    },
  };
}

/** What the manifest says of a source. */
function describeSource(
  source: ModelSource,
  { signatureKey, isAveraged }: ArtifactRequest,
): ArtifactManifest["source"] {
  return {
    kind: source.kind,
    digest: source.digest,
    ...("step" in source && source.step !== undefined ? { step: source.step } : {}),
    ...(signatureKey === undefined ? {} : { signatureKey }),
    ...(isAveraged ? { isAveraged } : {}),
  };
}

/** Pins, signatures and averages are those of a graph of TensorFlow. */
function refuseGraphOptions(
  { kind, path }: TfjsModelSource,
  { pins, signatureKey, isAveraged }: ArtifactRequest,
): void {
  const given = { "--pin": pins, "--signature": signatureKey, "--averages": isAveraged };
  const option = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (option === undefined) return;
  throw new CkptError("INVALID_OPTION", { option, expected: "a graph of TensorFlow", found: `${kind} ${path}` });
}
