import { join } from "node:path";

import {
  type EvaluationManifest,
  manifestNames,
  type MetricEstimate,
  type MetricsManifest,
  metricsManifestType,
  parseDocument,
  replaceFile,
  type Sealed,
  serializeDocument,
} from "@ckpt/manifest";

import { checkRows, toScoredRows } from "./check-rows.js";
import { confusionMatrix } from "./metrics/confusion-matrix.js";
import type { ScoredRows } from "./metrics/metric.js";
import { defaultMetrics, findMetric } from "./metrics/registry.js";
import { readEvaluation, readRows } from "./predictions.js";
import { describeTask } from "./task.js";

/** An evaluation and what was computed from it. */
export interface MeasuredEvaluation {
  readonly evaluation: Sealed<EvaluationManifest>;
  readonly metrics: MetricsManifest;
}

/**
 * Computes metrics from stored predictions, without inference, and writes `metrics.json` beside them. Predictions that
 * hold a NaN or an infinity, or that are no probabilities where a metric needs them, give no metrics but a `failure`
 * that says so.
 *
 * @param evaluation - The evaluation's folder.
 * @param names - Default: accuracy and logLoss of classes, mse and mae of regression targets.
 * @throws {CkptError} EVALUATION_NOT_FOUND, METRIC_NOT_FOUND, SIGNATURE_MISMATCH when a label is not a class of the
 *   output; FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or MANIFEST_INVALID when the evaluation is damaged.
 */
export async function computeMetrics(evaluation: string, names?: readonly string[]): Promise<Sealed<MetricsManifest>> {
  const { metrics } = await measureEvaluation(evaluation, names);
  const path = join(evaluation, manifestNames.metrics);
  const text = serializeDocument(metrics);
  await replaceFile(path, text);
  return parseDocument(metricsManifestType, text, path);
}

/** Computes what {@link computeMetrics} writes, and writes nothing. */
export async function measureEvaluation(path: string, names?: readonly string[]): Promise<MeasuredEvaluation> {
  const evaluation = await readEvaluation(path);
  const header = {
    kind: metricsManifestType.kind,
    schemaVersion: metricsManifestType.schemaVersion,
    evaluation: evaluation.digest,
  };
  const task = describeTask(path, evaluation.output, evaluation.labels, evaluation.classes);
  const columnCount = task.kind === "classification" ? task.classCount : task.targetCount;
  const selected = [...new Set((names ?? defaultMetrics[task.kind]).map((name) => findMetric(name, task.kind)))];
  const states = selected.map((metric) => ({ metric, state: metric.init(columnCount) }));
  const confusion = confusionMatrix.init(task.kind === "classification" ? columnCount : 0);

  let firstRow = 0;
  for await (const stored of readRows(path, evaluation)) {
    const failure = checkRows(path, evaluation, task, selected, stored, firstRow);
    if (failure !== undefined) return { evaluation, metrics: { ...header, metrics: {}, failure } };
    const rows: ScoredRows = toScoredRows(stored, columnCount);
    for (const { metric, state } of states) metric.update(state, rows);
    if (task.kind === "classification") confusionMatrix.update(confusion, rows);
    firstRow += stored.rowCount;
  }

  const metrics: Record<string, MetricEstimate> = {};
  for (const { metric, state } of states) metrics[metric.name] = metric.finalize(state);
  return {
    evaluation,
    metrics: { ...header, metrics, ...(task.kind === "classification" ? { confusion } : {}) },
  };
}
