import type { ClassEstimates, MetricEstimate, MetricsManifest } from "@ckpt/manifest";

import { isMeasure } from "../constraint.js";
import { findMetric } from "../metrics/registry.js";
import type { Task } from "../task.js";
import { failWithout, type Judgement, judgeEstimate, judgeValue } from "./judgement.js";
import type { RequiredPart, Requirement } from "./requirement.js";

/** What is known of an artifact when it is judged. */
export interface JudgedArtifact {
  readonly task: Task["kind"];
  /** Rows of the split. */
  readonly rowCount: number;
  /** Coverage of the metrics' intervals. */
  readonly confidence: number;
  readonly metrics: MetricsManifest;
  /** What it costs: milliseconds and bytes. */
  readonly measures: Readonly<Record<string, number>>;
}

/**
 * Holds one requirement against what is known of an artifact. What is missing fails: a metric without a value, a slice or
 * class without rows, a measure that was not taken, predictions that could not be scored.
 */
export function judgeRequirement(requirement: Requirement, artifact: JudgedArtifact): Judgement {
  const { text, measure, part } = requirement;
  const { metrics, measures, rowCount, confidence, task } = artifact;
  if (isMeasure(measure)) {
    const value = measures[measure];
    return value === undefined ? failWithout(text, `there is no ${measure}`) : judgeValue(text, value, requirement);
  }
  if (metrics.failure !== undefined) return failWithout(text, metrics.failure);
  const { name, mode } = findMetric(measure, task);
  if (part === undefined) {
    const found = metrics.metrics[name];
    if (found !== undefined) return judgeEstimate(text, found, requirement, { rowCount, confidence });
    return failWithout(text, metrics.notDefined?.[name] ?? `there is no ${name}`);
  }
  const found = findPart(part, name, mode, metrics);
  if (typeof found === "string") return failWithout(text, found);
  const judged = judgeEstimate(text, found.estimate, requirement, { rowCount: found.rowCount, confidence });
  if (judged.moreRows === undefined) return judged;
  // Rows of the part come with all others.
  return { ...judged, moreRows: Math.ceil((judged.moreRows * rowCount) / found.rowCount) };
}

interface FoundPart {
  readonly estimate: MetricEstimate;
  readonly rowCount: number;
}

/** The figure of a part, or why there is none. */
function findPart(
  part: RequiredPart,
  metric: string,
  mode: "min" | "max",
  { slices = [], worstSlices = {}, perClass = [] }: MetricsManifest,
): FoundPart | string {
  if (part.kind === "class" || part.kind === "worst class") {
    const classes = perClass.map((entry) => describeClass(entry, metric));
    if (part.kind === "class") {
      const index = perClass.findIndex((entry) => (entry.name ?? String(entry.class)) === part.name);
      return classes[index] ?? `there is no class ${part.name}`;
    }
    return findWorst(classes, mode) ?? "there are no classes";
  }
  const name = part.kind === "slice" ? part.name : worstSlices[metric];
  const slice = slices.find((entry) => entry.name === name);
  if (slice === undefined)
    return name === undefined ? "there is no slice with rows enough" : `there is no slice ${name}`;
  if (slice.rowCount === 0) return `slice ${slice.name} is empty`;
  const estimate = slice.metrics[metric];
  return estimate === undefined ? `slice ${slice.name} has no ${metric}` : { estimate, rowCount: slice.rowCount };
}

/** A class without rows says nothing, and the worst of all classes may be that one. */
function findWorst(classes: readonly (FoundPart | string)[], mode: "min" | "max"): FoundPart | string | undefined {
  const missing = classes.find((entry) => typeof entry === "string");
  if (missing !== undefined) return missing;
  const sign = mode === "max" ? 1 : -1;
  return classes
    .filter((entry) => typeof entry !== "string")
    .toSorted((a, b) => sign * (a.estimate.value - b.estimate.value))[0];
}

function describeClass(entry: ClassEstimates, metric: string): FoundPart | string {
  const name = entry.name ?? String(entry.class);
  if (entry.support === 0) return `class ${name} has no rows`;
  const { precision, recall, specificity, f1 } = entry;
  const estimate = new Map(Object.entries({ precision, recall, specificity, f1 })).get(metric);
  if (estimate === undefined) return `${metric} is not given by class, but precision, recall, specificity and f1 are`;
  return { estimate, rowCount: entry.support };
}
