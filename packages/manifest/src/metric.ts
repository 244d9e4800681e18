import { z } from "zod";

/** Whether a smaller or a larger value of a metric is better. */
export type MetricMode = "min" | "max";

/** Metric values by name. Values that are not finite are kept: they say that something went wrong. */
export type Metrics = Readonly<Record<string, number>>;

const notFinite = ["NaN", "Infinity", "-Infinity"] as const;

/** On disk a metric is a JSON number, or one of the strings `NaN`, `Infinity`, `-Infinity`, which JSON numbers lack. */
export type StoredMetrics = Readonly<Record<string, number | (typeof notFinite)[number]>>;

/** Accepts metric values in their form on disk, by name. */
export const storedMetricsSchema: z.ZodType<StoredMetrics> = z.record(
  z.string(),
  z.union([z.number(), z.enum(notFinite)]),
);

/** Puts values into their form on disk; the reverse of {@link restoreMetrics}. */
export function storeMetrics(metrics: Metrics): StoredMetrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : (String(value) as (typeof notFinite)[number]),
    ]),
  );
}

/** Reads values from their form on disk; the reverse of {@link storeMetrics}. */
export function restoreMetrics(stored: StoredMetrics): Metrics {
  return Object.fromEntries(Object.entries(stored).map(([name, value]) => [name, Number(value)]));
}

/**
 * Orders two values of one metric, better first: negative if `a` is better, positive if `b` is, 0 if neither.
 * A total order: NaN is worse than everything and equal to itself.
 */
export function compareMetric(a: number, b: number, mode: MetricMode): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  if (a === b) return 0;
  return a < b === (mode === "min") ? -1 : 1;
}
