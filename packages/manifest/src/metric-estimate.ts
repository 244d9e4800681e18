import { z } from "zod";

/** A metric's value with the interval that covers the true value with 95 % confidence, where one is known. */
export interface MetricEstimate {
  readonly value: number;
  /** `[low, high]`. */
  readonly interval?: readonly [number, number];
}

/** Accepts an estimate whose value and interval bounds are finite. */
export const metricEstimateSchema: z.ZodType<MetricEstimate> = z.object({
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]).exactOptional(),
});
