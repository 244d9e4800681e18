import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import { type MetricEstimate, metricEstimateSchema } from "./metric-estimate.js";

/** One class, or one label, against all others. */
export interface ClassEstimates {
  /** Index of the class. */
  readonly class: number;
  readonly name?: string;
  /** Rows of the class, or their weight. */
  readonly support: number;
  readonly precision: MetricEstimate;
  readonly recall: MetricEstimate;
  readonly specificity: MetricEstimate;
  readonly f1: MetricEstimate;
}

/** The metrics of some of the rows. */
export interface SliceEstimates {
  readonly name: string;
  readonly rowCount: number;
  readonly metrics: Readonly<Record<string, MetricEstimate>>;
  readonly notDefined?: Readonly<Record<string, string>>;
}

/** `metrics.json`: what was computed from one evaluation's predictions; replaced whenever other metrics are asked for. */
export interface MetricsManifest extends DocumentHeader<"metrics"> {
  /** Digest of the evaluation the metrics were computed from. */
  readonly evaluation: string;
  /** Coverage of the intervals, where that is not 95 %. */
  readonly confidence?: number;
  readonly metrics: Readonly<Record<string, MetricEstimate>>;
  /** Row counts `[true class][predicted class]`; absent for regression. */
  readonly confusion?: readonly (readonly number[])[];
  /** Metrics that have no value on these rows, each with the reason. */
  readonly notDefined?: Readonly<Record<string, string>>;
  /** One for each class; absent for regression and sequences. */
  readonly perClass?: readonly ClassEstimates[];
  /** Parts of the rows, in the order they were asked for. */
  readonly slices?: readonly SliceEstimates[];
  /** By metric: the slice that is worst, of those with rows enough. */
  readonly worstSlices?: Readonly<Record<string, string>>;
  /**
   * Why there are no metrics: the predictions hold a value that is not finite, or are no probabilities where a metric
   * needs them.
   */
  readonly failure?: string;
}

const estimatesSchema = z.record(z.string(), metricEstimateSchema);
const reasonsSchema = z.record(z.string(), z.string());

/** The schema of slices, in every document that has some. */
export const sliceEstimatesSchema: z.ZodType<readonly SliceEstimates[]> = z.array(
  z.object({
    name: z.string(),
    rowCount: z.int().nonnegative(),
    metrics: estimatesSchema,
    notDefined: reasonsSchema.exactOptional(),
  }),
);

/** How `metrics.json` is named, checked and versioned. */
export const metricsManifestType: DocumentType<MetricsManifest> = {
  kind: "metrics",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("metrics"),
    schemaVersion: z.int().positive(),
    evaluation: sha256Schema,
    confidence: z.number().exactOptional(),
    metrics: estimatesSchema,
    confusion: z.array(z.array(z.int().nonnegative())).exactOptional(),
    notDefined: reasonsSchema.exactOptional(),
    perClass: z
      .array(
        z.object({
          class: z.int().nonnegative(),
          name: z.string().exactOptional(),
          support: z.number(),
          precision: metricEstimateSchema,
          recall: metricEstimateSchema,
          specificity: metricEstimateSchema,
          f1: metricEstimateSchema,
        }),
      )
      .exactOptional(),
    slices: sliceEstimatesSchema.exactOptional(),
    worstSlices: z.record(z.string(), z.string()).exactOptional(),
    failure: z.string().exactOptional(),
  }),
};
