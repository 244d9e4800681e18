import type { DataRecord, MetricsManifest } from "@ckpt/manifest";

import { formatPercent } from "./format-ranking.js";

/** What a file of evaluation results on the Hugging Face Hub says besides the figures. */
export interface EvalResultsOptions {
  /** The dataset's id on the Hub. */
  readonly dataset: string;
  readonly split: DataRecord;
  /** Coverage of the intervals. */
  readonly confidence: number;
}

/**
 * Evaluation results as the Hub reads them from `.eval_results/*.yaml` of a model's repository: an entry for each metric,
 * whose name is the task, with the interval and the rows in its notes. Strings are JSON's, which YAML takes.
 */
export function formatEvalResults(
  metrics: MetricsManifest["metrics"],
  { dataset, split, confidence }: EvalResultsOptions,
): string {
  return Object.entries(metrics)
    .map(([name, { value, interval }]) => {
      const range = interval === undefined ? "" : `${formatPercent(confidence)} interval [${interval.join(", ")}], `;
      const notes = `${range}${split.rowCount} rows of split ${split.name}, sha256 ${split.digest}`;
      return (
        `- dataset:\n    id: ${JSON.stringify(dataset)}\n    task_id: ${JSON.stringify(name)}\n` +
        `  value: ${value}\n  notes: ${JSON.stringify(notes)}\n`
      );
    })
    .join("");
}
