import { join } from "node:path";

import {
  type EvaluationManifest,
  manifestNames,
  type MetricsManifest,
  metricsManifestType,
  parseDocument,
  replaceFile,
  type Sealed,
  serializeDocument,
} from "@ckpt/manifest";

import { checkRows, toScoredRows } from "./check-rows.js";
import { checkScoring, type ScoringOptions } from "./check-scoring.js";
import { createClassCounter } from "./metrics/class-record.js";
import { confusionMatrix } from "./metrics/confusion-matrix.js";
import {
  finalizeMeasurement,
  initMeasurement,
  type MeasuredRows,
  openMeasurement,
  updateMeasurement,
} from "./metrics/measurement.js";
import type { Metric } from "./metrics/metric.js";
import { describeClasses } from "./metrics/per-class.js";
import { defaultMetrics, resolveMetric } from "./metrics/registry.js";
import { measureSlices } from "./metrics/slices.js";
import { readEvaluation, readRows } from "./predictions.js";
import { resolveScoring } from "./scoring.js";
import { countColumns, describeTask, type Task } from "./task.js";

/** An evaluation and what was computed from it. */
export interface MeasuredEvaluation {
  readonly evaluation: Sealed<EvaluationManifest>;
  readonly metrics: MetricsManifest;
  /** The rows they were computed from, to compare them with other candidates'; absent with a failure. */
  readonly rows?: MeasuredRows;
}

/**
 * Computes metrics from stored predictions, without inference, and writes `metrics.json` beside them, with a table of
 * the classes or labels and the slices that are asked for. Predictions that hold a NaN or an infinity, or that are no
 * probabilities where a metric needs them, give no metrics but a `failure` that says so; a metric that has no value on
 * these rows stands in `notDefined`.
 *
 * Rows count as `options` say and, where these say nothing, as `writeScoring` keeps it beside the evaluation.
 *
 * @param evaluation - The evaluation's folder.
 * @param metrics - Names or metrics of your own. Default: those of the task in `defaultMetrics`.
 * @throws {CkptError} EVALUATION_NOT_FOUND, METRIC_NOT_FOUND, INVALID_OPTION, SIGNATURE_MISMATCH when a label is not a
 *   class of the output; FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or MANIFEST_INVALID when the evaluation is
 *   damaged.
 */
export async function computeMetrics(
  evaluation: string,
  metrics?: readonly (string | Metric)[],
  options: ScoringOptions = {},
): Promise<Sealed<MetricsManifest>> {
  const measured = await measureEvaluation(evaluation, metrics, options);
  const path = join(evaluation, manifestNames.metrics);
  const text = serializeDocument(measured.metrics);
  await replaceFile(path, text);
  return parseDocument(metricsManifestType, text, path);
}

/**
 * Computes what {@link computeMetrics} writes, and writes nothing.
 *
 * @throws {CkptError} As {@link computeMetrics}.
 */
export async function measureEvaluation(
  path: string,
  names?: readonly (string | Metric)[],
  options: ScoringOptions = {},
): Promise<MeasuredEvaluation> {
  const evaluation = await readEvaluation(path);
  return measureRows(path, evaluation, names, await resolveScoring(path, evaluation, options));
}

/**
 * Computes metrics of an evaluation that was read. Rows count as the options say, whatever is kept beside it.
 *
 * @throws {CkptError} As {@link computeMetrics}.
 */
export async function measureRows(
  path: string,
  evaluation: Sealed<EvaluationManifest>,
  names: readonly (string | Metric)[] | undefined,
  options: ScoringOptions,
): Promise<MeasuredEvaluation> {
  const { rowCount } = evaluation.split;
  checkScoring(options, rowCount);
  const header = {
    kind: metricsManifestType.kind,
    schemaVersion: metricsManifestType.schemaVersion,
    evaluation: evaluation.digest,
    ...(options.confidence === undefined ? {} : { confidence: options.confidence }),
  };
  const task = describeTask(path, evaluation.output, evaluation.labels, evaluation.classes);
  const selected = selectMetrics(names ?? defaultMetrics[task.kind], task.kind);
  const state = initMeasurement(selected, countColumns(task));
  const counter =
    task.kind === "classification" || task.kind === "multilabel" ? createClassCounter(task.kind) : undefined;
  const counts = counter?.init(countColumns(task));
  const confusion = confusionMatrix.init(task.kind === "classification" ? task.classCount : 0);

  let firstRow = 0;
  for await (const stored of readRows(path, evaluation)) {
    const failure = checkRows(path, evaluation, task, selected, stored, firstRow);
    if (failure !== undefined) return { evaluation, metrics: { ...header, metrics: {}, failure } };
    const end = firstRow + stored.rowCount;
    const rows = {
      ...toScoredRows(stored, task),
      ...(options.weights === undefined ? {} : { weights: options.weights.subarray(firstRow, end) }),
      ...(options.groups === undefined ? {} : { groups: options.groups.subarray(firstRow, end) }),
    };
    updateMeasurement(selected, state, rows);
    if (counts !== undefined) counter?.update(counts, rows);
    if (task.kind === "classification") confusionMatrix.update(confusion, rows);
    firstRow = end;
  }

  const rows = openMeasurement(selected, state);
  const { metrics, notDefined } = finalizeMeasurement(selected, state, rows, options.confidence);
  return {
    evaluation,
    rows,
    metrics: {
      ...header,
      metrics,
      ...(Object.keys(notDefined).length === 0 ? {} : { notDefined }),
      ...(task.kind === "classification" ? { confusion } : {}),
      ...(counts === undefined
        ? {}
        : {
            perClass: describeClasses(
              counts.counts,
              evaluation.classes,
              options.weights === undefined && options.groups === undefined,
              options.confidence,
            ),
          }),
      ...(options.slices === undefined
        ? {}
        : measureSlices(selected, rows, options.slices, options.minSliceRows ?? 30, options.confidence)),
    },
  };
}

/** Each metric once, in the order they were asked for. */
function selectMetrics(wanted: readonly (string | Metric)[], task: Task["kind"]): readonly Metric[] {
  const selected = new Map<string, Metric>();
  for (const entry of wanted) {
    const metric = resolveMetric(entry, task);
    if (!selected.has(metric.name)) selected.set(metric.name, metric);
  }
  return [...selected.values()];
}
