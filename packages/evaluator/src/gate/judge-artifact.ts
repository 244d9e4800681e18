import { join } from "node:path";

import {
  CkptError,
  isCkptError,
  manifestNames,
  type MetricsManifest,
  metricsManifestType,
  readDocument,
} from "@ckpt/manifest";

import { compareEvaluations } from "../compare-evaluations.js";
import { measureEvaluation } from "../compute-metrics.js";
import { isMeasure } from "../constraint.js";
import { countFormatBytes } from "../count-format-bytes.js";
import { type EvaluationChoice, findEvaluation, type StoredEvaluation } from "../find-evaluations.js";
import { defaultMetrics, findMetric } from "../metrics/registry.js";
import { readArtifact } from "../read-artifact.js";
import { readScoring } from "../scoring.js";
import { describeTask } from "../task.js";
import { type ChampionRule, judgeChampion } from "./judge-champion.js";
import { judgeRequirement } from "./judge-requirement.js";
import { failWithout, type Judgement, joinVerdicts, type Verdict } from "./judgement.js";
import type { Requirement } from "./requirement.js";

/** What an artifact has to show, and the predictions it is judged by. */
export interface JudgeArtifactOptions extends EvaluationChoice {
  /** The artifact's folder. */
  readonly artifact: string;
  readonly requirements: readonly Requirement[];
  readonly champion?: ChampionOptions;
  /** Rows there have to be. Default: any number. */
  readonly minRows?: number;
  /** What the artifact costs besides its bytes, as for `rankArtifacts`. */
  readonly measures?: Readonly<Record<string, number>>;
  /** Coverage of the intervals. Default: 0.95. */
  readonly confidence?: number;
}

/** An artifact to be compared with on the same rows. */
export interface ChampionOptions extends ChampionRule {
  /** Its folder. */
  readonly artifact: string;
  /** The folder of its evaluations. */
  readonly evaluations: string;
  /** Default: the first of the default metrics of the task. */
  readonly metric?: string;
}

/** What became of a gate. */
export interface JudgedGate {
  readonly verdict: Verdict;
  /** One for each thing asked, in the order: rows, requirements, champion. */
  readonly judgements: readonly Judgement[];
  readonly evaluation: StoredEvaluation;
  /** The column that weighs rows. */
  readonly weights?: string;
  /** The column whose equal values belong together. */
  readonly groupBy?: string;
}

/**
 * Judges an artifact by its stored predictions. Rows count, and slices are, as `writeScoring` keeps it; where no slices are
 * kept, they are those of `metrics.json`, which have to have been computed with the same confidence.
 *
 * @throws {CkptError} EVALUATION_NOT_FOUND for the artifact or the champion, INVALID_OPTION when nothing is asked,
 *   METRIC_NOT_FOUND, and what `computeMetrics` throws.
 */
export async function judgeArtifact(options: JudgeArtifactOptions): Promise<JudgedGate> {
  const { requirements, champion, minRows, confidence = 0.95 } = options;
  if (requirements.length === 0 && champion === undefined && minRows === undefined) {
    const expected = "at least one requirement, or a champion";
    throw new CkptError("INVALID_OPTION", { option: "require", expected, found: "none" });
  }
  const artifact = await readArtifact(options.artifact);
  const evaluation = await findEvaluation(options.artifact, options);
  const { manifest, path } = evaluation;
  const { rowCount } = manifest.split;
  const task = describeTask(path, manifest.output, manifest.labels, manifest.classes).kind;
  const names = requirements.map(({ measure }) => measure).filter((name) => !isMeasure(name));
  const metrics = names.map((name) => findMetric(name, task));
  const measured = (await measureEvaluation(path, metrics, { confidence })).metrics;
  const judged = {
    task,
    rowCount,
    confidence,
    metrics:
      measured.slices === undefined ? { ...measured, ...(await readSlices(path, confidence, requirements)) } : measured,
    measures: { ...options.measures, bytes: countFormatBytes(artifact.manifest, manifest.artifact.format) },
  };
  const judgements = [
    ...(minRows === undefined ? [] : [judgeRows(rowCount, minRows)]),
    ...requirements.map((requirement) => judgeRequirement(requirement, judged)),
  ];
  if (champion !== undefined) {
    const metric = findMetric(champion.metric ?? defaultMetrics[task][0] ?? "", task);
    const choice = { ...options, evaluations: champion.evaluations, split: manifest.split.digest };
    const other = await findEvaluation(champion.artifact, choice);
    const comparison = await compareEvaluations(path, other.path, { metrics: [metric], confidence });
    judgements.push(judgeChampion(comparison, metric.name, champion, confidence));
  }
  const { weights, groups } = await readScoring(options.evaluations, manifest.split);
  return {
    verdict: joinVerdicts(judgements),
    judgements,
    evaluation,
    ...(weights === undefined ? {} : { weights: weights.column }),
    ...(groups === undefined ? {} : { groupBy: groups.column }),
  };
}

function judgeRows(rowCount: number, minRows: number): Judgement {
  const text = `rows>=${minRows}`;
  if (rowCount >= minRows) return { text, verdict: "pass", found: { value: rowCount } };
  return { ...failWithout(text, `there are ${rowCount}`), found: { value: rowCount } };
}

/** Of slices that whoever computed the metrics gave there, only figures are known. */
async function readSlices(
  evaluation: string,
  confidence: number,
  requirements: readonly Requirement[],
): Promise<Pick<MetricsManifest, "slices" | "worstSlices">> {
  if (!requirements.some(({ part }) => part?.kind === "slice" || part?.kind === "worst slice")) return {};
  try {
    const stored = await readDocument(metricsManifestType, join(evaluation, manifestNames.metrics));
    if ((stored.confidence ?? 0.95) !== confidence) return {};
    const { slices, worstSlices } = stored;
    return { ...(slices === undefined ? {} : { slices }), ...(worstSlices === undefined ? {} : { worstSlices }) };
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return {};
    throw error;
  }
}
