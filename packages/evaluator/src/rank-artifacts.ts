import { CkptError, type RankingManifest, rankingManifestType } from "@ckpt/manifest";

import type { Candidate } from "./candidate.js";
import type { ScoringOptions } from "./check-scoring.js";
import { measureEvaluation } from "./compute-metrics.js";
import { type Constraint, isMeasure } from "./constraint.js";
import { countFormatBytes } from "./count-format-bytes.js";
import { createFigureTable, type FigureTable } from "./figure-table.js";
import { type EvaluationChoice, findEvaluations, notFound, type StoredEvaluation } from "./find-evaluations.js";
import type { Metric } from "./metrics/metric.js";
import { defaultMetrics, findMetric, resolveMetric } from "./metrics/registry.js";
import { chooseRace, describeCheckpoint, listDropped } from "./race/dropped-candidates.js";
import { rankCandidates } from "./rank-candidates.js";
import { type Artifact, readArtifact } from "./read-artifact.js";
import { readScoring } from "./scoring.js";
import { describeTask, type Task } from "./task.js";

type RowOptions = Pick<ScoringOptions, "weights" | "groups" | "confidence">;

/** The artifacts that compete, which of their stored predictions count, and how they are compared. */
export interface RankArtifactsOptions extends EvaluationChoice, RowOptions {
  /** The artifacts' folders, each of another name. */
  readonly artifacts: readonly string[];
  /** The primary metric. Default: the first of those of the task in `defaultMetrics`. */
  readonly metric?: string | Metric;
  /** What else to compute of each candidate. Default: the default metrics of the task. */
  readonly metrics?: readonly (string | Metric)[];
  /** What candidates have to keep to; `bytes` is that of the evaluated format. */
  readonly constraints?: readonly Constraint[];
  /**
   * What candidates cost besides, by the artifact's id: `p50`, `p95`, `p99` and `load` in milliseconds, `rss` in bytes.
   * Only what a constraint names counts: such figures are of one machine, and the ranking should be of none.
   */
  readonly measures?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Ranks artifacts by their stored predictions; runs no inference and writes nothing. All are compared on the same rows:
 * those that may be the best are tied, the difference of each from the pick has an interval, and where rows are right or
 * wrong McNemar's test. Rows count as the options say, else as `writeScoring` keeps it. One artifact is read at a time,
 * and of its rows only what the comparison needs is kept.
 *
 * An artifact without predictions that a race by the same metric dropped is listed behind the others as dropped; what
 * holds for the best of all artifacts then does but for the race's `delta`, and ties, intervals and `corrected` are of the
 * others. No race counts with constraints or weights, nor one that left an artifact which failed or does not take part.
 *
 * @throws {CkptError} EVALUATION_NOT_FOUND naming the first artifact without predictions on the split,
 *   ARTIFACT_NOT_FOUND, METRIC_NOT_FOUND; INVALID_OPTION when there are no artifacts, two have the same name, or the
 *   split is stored in more than one version; and what `computeMetrics` throws.
 */
export async function rankArtifacts(options: RankArtifactsOptions): Promise<RankingManifest> {
  const artifacts = await Promise.all(options.artifacts.map(readArtifact));
  checkArtifacts(artifacts);
  const mayBeDropped = (options.constraints ?? []).length === 0 && options.weights === undefined;
  const { stored, races } = await findEvaluations(artifacts, options, mayBeDropped);
  const first = stored.find((evaluation) => evaluation !== undefined);
  const [unscored] = artifacts;
  if (first === undefined)
    throw unscored === undefined ? new TypeError("no candidates") : notFound(unscored, options, races);
  const task = taskOf(first);
  const primary = resolveMetric(options.metric ?? defaultMetrics[task][0] ?? "", task);
  const figures = createFigureTable(primary);
  const constraints = options.constraints?.map((constraint) => resolveConstraint(constraint, task));
  const candidates: Candidate[] = [];
  for (const [index, artifact] of artifacts.entries()) {
    const chosen = stored[index];
    if (chosen !== undefined) candidates.push(await measureCandidate(artifact, chosen, primary, figures, options));
  }
  const { weights, groups } = await readScoring(options.evaluations, first.manifest.split);
  const race = chooseRace(artifacts, candidates, weights === undefined ? races : [], primary.name, options);
  const ranked = rankCandidates(candidates, {
    metric: primary.name,
    mode: primary.mode,
    ...(constraints === undefined ? {} : { constraints }),
    ...(options.confidence === undefined ? {} : { confidence: options.confidence }),
    ...figures.compare(candidates.map(({ id }) => id)),
  });
  const inOrder = ranked.candidates.filter(({ rank }) => rank !== undefined).map(({ id }) => id);
  const corrected = figures.correct(inOrder, options.confidence);
  return {
    kind: rankingManifestType.kind,
    schemaVersion: rankingManifestType.schemaVersion,
    split: first.manifest.split,
    metric: { name: primary.name, mode: primary.mode },
    ...(weights === undefined || options.weights !== undefined ? {} : { weights: weights.column }),
    ...(groups === undefined || options.groups !== undefined ? {} : { groupBy: groups.column }),
    ...(options.confidence === undefined ? {} : { confidence: options.confidence }),
    ...ranked,
    candidates: [
      ...ranked.candidates,
      ...(race === undefined ? [] : listDropped(artifacts, candidates, race, options)),
    ],
    ...(corrected === undefined ? {} : { corrected }),
    ...(race === undefined ? {} : { race: { digest: race.digest, delta: race.delta } }),
  };
}

/** The constraint by the metric's own name, which what was measured goes by; its text stays as it was written. */
function resolveConstraint(constraint: Constraint, task: Task["kind"]): Constraint {
  if (isMeasure(constraint.measure)) return constraint;
  return { ...constraint, measure: findMetric(constraint.measure, task).name };
}

function checkArtifacts(artifacts: readonly Artifact[]): void {
  const ids = artifacts.map((artifact) => artifact.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (ids.length > 0 && repeated === undefined) return;
  throw new CkptError("INVALID_OPTION", {
    option: "artifacts",
    expected: "one or more folders of different names",
    found: repeated === undefined ? "none" : `${repeated} twice`,
  });
}

async function measureCandidate(
  artifact: Artifact,
  evaluation: StoredEvaluation,
  primary: Metric,
  figures: FigureTable,
  options: RankArtifactsOptions,
): Promise<Candidate> {
  const { path, manifest } = evaluation;
  const names = options.metrics ?? defaultMetrics[taskOf(evaluation)];
  const bounded = (options.constraints ?? []).map(({ measure }) => measure).filter((name) => !isMeasure(name));
  const selected = [primary, ...names, ...bounded];
  const { metrics, rows } = await measureEvaluation(path, selected, chooseRowOptions(options));
  if (rows !== undefined) figures.add(artifact.id, rows);
  return {
    id: artifact.id,
    artifact: { digest: artifact.manifest.digest },
    checkpoint: describeCheckpoint(artifact.manifest.source),
    metrics: metrics.metrics,
    ...(metrics.slices === undefined ? {} : { slices: metrics.slices }),
    ...(metrics.worstSlices === undefined ? {} : { worstSlices: metrics.worstSlices }),
    evaluation: manifest.digest,
    measures: {
      bytes: countFormatBytes(artifact.manifest, manifest.artifact.format),
      ...chooseMeasures(artifact.id, options),
    },
    ...(metrics.failure === undefined ? {} : { failure: metrics.failure }),
    ...(metrics.notDefined === undefined ? {} : { notDefined: metrics.notDefined }),
  };
}

/** Slices are not ranked by: who passes them all the same does not wait for them. */
function chooseRowOptions({ weights, groups, confidence }: RankArtifactsOptions): RowOptions {
  return {
    ...(weights === undefined ? {} : { weights }),
    ...(groups === undefined ? {} : { groups }),
    ...(confidence === undefined ? {} : { confidence }),
  };
}

function chooseMeasures(
  id: string,
  { measures, constraints = [] }: RankArtifactsOptions,
): Readonly<Record<string, number>> {
  const named = new Set(constraints.map(({ measure }) => measure));
  return Object.fromEntries(Object.entries(measures?.[id] ?? {}).filter(([name]) => named.has(name)));
}

function taskOf({ manifest }: StoredEvaluation): Task["kind"] {
  return describeTask(manifest.artifact.id, manifest.output, manifest.labels, manifest.classes).kind;
}
