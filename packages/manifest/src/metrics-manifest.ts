import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import { type MetricEstimate, metricEstimateSchema } from "./metric-estimate.js";

/** `metrics.json`: what was computed from one evaluation's predictions; replaced whenever other metrics are asked for. */
export interface MetricsManifest extends DocumentHeader<"metrics"> {
  /** Digest of the evaluation the metrics were computed from. */
  readonly evaluation: string;
  readonly metrics: Readonly<Record<string, MetricEstimate>>;
  /** Row counts `[true class][predicted class]`; absent for regression. */
  readonly confusion?: readonly (readonly number[])[];
  /** Why there are no metrics: the predictions hold a value that is not finite. */
  readonly failure?: string;
}

/** How `metrics.json` is named, checked and versioned. */
export const metricsManifestType: DocumentType<MetricsManifest> = {
  kind: "metrics",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("metrics"),
    schemaVersion: z.int().positive(),
    evaluation: sha256Schema,
    metrics: z.record(z.string(), metricEstimateSchema),
    confusion: z.array(z.array(z.int().nonnegative())).exactOptional(),
    failure: z.string().exactOptional(),
  }),
};
