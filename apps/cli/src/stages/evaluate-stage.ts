import { basename } from "node:path";

import { computeMetrics, type EngineChoice, evaluateArtifact } from "@ckpt/evaluator";
import type { MetricsManifest, Sealed, Split } from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import { formatMetric } from "../table.js";

/** What to score and how. */
export interface EvaluateRequest {
  /** Artifact folders. */
  readonly artifacts: readonly string[];
  readonly split: Split;
  readonly evaluations: string;
  readonly engine?: EngineChoice;
  readonly batchSize?: number;
  /** Default: the signature's first. */
  readonly output?: string;
  /** Default: those of the task. */
  readonly metrics?: readonly string[];
}

/** One artifact's score. */
export interface ScoredArtifact {
  readonly artifact: string;
  /** The evaluation's folder. */
  readonly evaluation: string;
  readonly isReused: boolean;
  readonly metrics: Sealed<MetricsManifest>;
}

/** Scores artifacts one after the other; predictions that are there already are not made again. */
export async function evaluateStage(
  { artifacts, metrics: names, ...options }: EvaluateRequest,
  { progress, signal }: CommandContext,
): Promise<readonly ScoredArtifact[]> {
  const scored: ScoredArtifact[] = [];
  for (const [index, artifact] of artifacts.entries()) {
    const position = `${index + 1}/${artifacts.length} ${basename(artifact)} on ${options.split.name}`;
    const { path, isReused, manifest } = await evaluateArtifact({
      ...options,
      artifact,
      onProgress: ({ rowsDone, rowsTotal }) => {
        signal.throwIfAborted();
        progress.update(`evaluate  ${position} ${rowsDone}/${rowsTotal} rows`);
      },
    });
    signal.throwIfAborted();
    const metrics = await computeMetrics(path, names);
    const figures = Object.entries(metrics.metrics).map(([name, { value }]) => `${name} ${formatMetric(value)}`);
    const engine = `${manifest.engine.name}${isReused ? ", stored predictions" : ""}`;
    progress.done(`evaluate  ${position}  ${metrics.failure ?? figures.join(" ")}  (${engine})`);
    scored.push({ artifact, evaluation: path, isReused, metrics });
  }
  return scored;
}
