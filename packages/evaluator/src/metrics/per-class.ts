import type { ClassEstimates, MetricEstimate } from "@ckpt/manifest";

import { wilsonInterval } from "../statistics/wilson-interval.js";
import { type ClassCounts } from "./class-record.js";
import { createFBeta, precisionOf, recallOf, selectClass, specificityOf } from "./class-scores.js";

const f1Of = createFBeta(1);

/**
 * Each class against all others, with its support.
 *
 * @param isCounted - Whether the counts are of single rows, each by itself, so that Wilson's interval holds; F1's is
 *   that of hits among all rows that are of the class or predicted to be, of which it is a rising function. Without, no
 *   intervals.
 * @param confidence - Coverage of the intervals. Default: 0.95.
 */
export function describeClasses(
  counts: ClassCounts,
  classes: readonly string[] | undefined,
  isCounted: boolean,
  confidence = 0.95,
): readonly ClassEstimates[] {
  const estimate = (value: number, successes: number, total: number): MetricEstimate =>
    isCounted && total > 0 ? { value, interval: wilsonInterval(successes, total, confidence) } : { value };
  return Array.from(counts.actual, (support, index) => {
    const binary = selectClass(counts, index);
    const { truePositives: hits, falsePositives, falseNegatives, trueNegatives } = binary;
    const union = estimate(0, hits, hits + falsePositives + falseNegatives).interval;
    const name = classes?.[index];
    return {
      class: index,
      ...(name === undefined ? {} : { name }),
      support,
      precision: estimate(precisionOf(binary), hits, hits + falsePositives),
      recall: estimate(recallOf(binary), hits, support),
      specificity: estimate(specificityOf(binary), trueNegatives, trueNegatives + falsePositives),
      f1: {
        value: f1Of(binary),
        ...(union === undefined ? {} : { interval: [toF1(union[0]), toF1(union[1])] as const }),
      },
    };
  });
}

function toF1(jaccard: number): number {
  return (2 * jaccard) / (1 + jaccard);
}
