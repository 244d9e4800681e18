import { basename } from "node:path";

import {
  type ColumnScoring,
  computeMetrics,
  type EngineChoice,
  evaluateArtifacts,
  type Metric,
  scoreByColumns,
  writeScoring,
} from "@ckpt/evaluator";
import { type MetricsManifest, recordTestRead, type Sealed, type Split, type TestRead } from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import { formatMetric } from "../table.js";

/** What to score and how; by which of the split's columns rows count is kept for whoever ranks and judges later. */
export interface EvaluateRequest extends ColumnScoring {
  /** Artifact folders. */
  readonly artifacts: readonly string[];
  readonly split: Split;
  readonly evaluations: string;
  /** Whose ledger a reading of test rows is entered into. */
  readonly run?: string;
  readonly engine?: EngineChoice;
  readonly batchSize?: number;
  /** Default: the signature's first. */
  readonly output?: string;
  /** Default: those of the task. */
  readonly metrics?: readonly (string | Metric)[];
}

/** One artifact's score. */
export interface ScoredArtifact {
  readonly artifact: string;
  /** The evaluation's folder. */
  readonly evaluation: string;
  readonly isReused: boolean;
  readonly metrics: Sealed<MetricsManifest>;
  /** How many artifacts of the run have been scored on these rows by now; only where they are test rows. */
  readonly testReads?: number;
}

/** Keeps how rows count, by columns of the split, for whoever computes metrics of its evaluations from now on. */
export async function keepScoring({ evaluations, split, ...request }: EvaluateRequest): Promise<void> {
  const { weights, groupBy, slices } = request;
  const columns = {
    ...(weights === undefined ? {} : { weights }),
    ...(groupBy === undefined ? {} : { groupBy }),
    ...(slices === undefined ? {} : { slices }),
  };
  await writeScoring(evaluations, split, scoreByColumns(split, columns));
}

/**
 * Scores artifacts, several at once; predictions that are there already are not made again.
 *
 * @throws {CkptError} what kept the first artifact that failed from being scored; the others are scored all the same.
 */
export async function evaluateStage(
  request: EvaluateRequest,
  { progress, signal }: CommandContext,
): Promise<readonly ScoredArtifact[]> {
  const { artifacts, metrics: names, run, weights: _weights, groupBy: _groups, slices: _slices, ...options } = request;
  const positions = new Map(artifacts.map((artifact, index) => [basename(artifact), index + 1]));
  const describe = (id: string): string => `${positions.get(id)}/${artifacts.length} ${id} on ${options.split.name}`;
  const scored = new Map<string, ScoredArtifact>();
  // Outcomes come side by side, and each entry counts those before it.
  let lastEntry: Promise<number | undefined> = Promise.resolve(undefined);
  const enterTestRead = async (read: TestRead): Promise<number | undefined> => {
    if (run === undefined || options.split.role !== "test") return undefined;
    lastEntry = lastEntry.then(() => recordTestRead(run, read));
    return lastEntry;
  };
  await keepScoring(request);
  const outcomes = await evaluateArtifacts({
    ...options,
    artifacts,
    onProgress: ({ artifact, rowsDone, rowsTotal, rowsPerSecond }) => {
      signal.throwIfAborted();
      const rate = rowsPerSecond === 0 ? "" : `, ${rowsPerSecond.toLocaleString("en")} rows/s`;
      progress.update(`evaluate  ${describe(artifact)} ${rowsDone}/${rowsTotal} rows${rate}`);
    },
    onOutcome: async (outcome) => {
      signal.throwIfAborted();
      if ("failure" in outcome) return;
      const { artifact, evaluation } = outcome;
      const { path, isReused, manifest } = evaluation;
      const metrics = await computeMetrics(path, names);
      const figures = Object.entries(metrics.metrics).map(([name, { value }]) => `${name} ${formatMetric(value)}`);
      const engine = `${manifest.engine.name}${isReused ? ", stored predictions" : ""}`;
      const subject = `evaluate  ${describe(basename(artifact))}`;
      if (metrics.failure === undefined) progress.done(`${subject}  ${figures.join(" ")}  (${engine})`);
      else progress.warn(`${subject} failed: ${metrics.failure}  (${engine})`);
      const testReads = await enterTestRead(manifest);
      const entry = testReads === undefined ? {} : { testReads };
      scored.set(artifact, { artifact, evaluation: path, isReused, metrics, ...entry });
    },
  });
  signal.throwIfAborted();
  for (const outcome of outcomes) if ("failure" in outcome) throw outcome.failure;
  return artifacts.flatMap((artifact) => scored.get(artifact) ?? []);
}
