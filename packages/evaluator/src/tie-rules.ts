import { compareMetric } from "@ckpt/manifest";

import type { Candidate } from "./candidate.js";

/** One way to tell which of two candidates is better. */
export interface Rule {
  /** In words. */
  readonly text: string;
  /** Negative when the first is better. */
  compare(a: Candidate, b: Candidate): number;
}

/**
 * What decides between equally good candidates, in turn: lower logLoss, lower ece, less of each measure by name (bytes,
 * p95) to two significant digits, each if it is not the primary metric and all of them have it; then the primary metric
 * where that has not decided; then the earlier step and the smaller artifact digest.
 *
 * @param primary - The rule of the primary metric, for candidates that are equal by its interval and not its value.
 */
export function listTieRules(candidates: readonly Candidate[], metric: string, primary?: Rule): readonly Rule[] {
  const metrics = ["logLoss", "ece"].filter(
    (name) => name !== metric && candidates.every((candidate) => candidate.metrics[name] !== undefined),
  );
  const measures = Object.keys(candidates[0]?.measures ?? {})
    .filter((name) => candidates.every((candidate) => Number.isFinite(candidate.measures?.[name])))
    .toSorted();
  return [
    ...(candidates.length === 0 ? [] : metrics).map((name) =>
      lower(name, (candidate) => candidate.metrics[name]?.value),
    ),
    ...measures.map((name) => lower(name, (candidate) => roundMeasure(candidate.measures?.[name] ?? NaN))),
    ...(primary === undefined ? [] : [primary]),
    // Artifacts of no known step come after those with one.
    { text: "earlier step", compare: (a, b) => compareMetric(stepOf(a), stepOf(b), "min") },
    {
      text: "smaller artifact digest",
      compare: (a, b) => Number(a.artifact.digest > b.artifact.digest) - Number(a.artifact.digest < b.artifact.digest),
    },
  ];
}

/** To two significant digits: a byte more for a longer name, or what timing varies by, is no difference. */
export function roundMeasure(value: number): number {
  return Number(value.toPrecision(2));
}

function lower(name: string, valueOf: (candidate: Candidate) => number | undefined): Rule {
  return {
    text: `lower ${name}`,
    compare: (a, b) => compareMetric(valueOf(a) ?? NaN, valueOf(b) ?? NaN, "min"),
  };
}

function stepOf(candidate: Candidate): number {
  return candidate.checkpoint.step ?? Infinity;
}
