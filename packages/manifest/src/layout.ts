import { join } from "node:path";

/** Names of everything in a run folder, relative to it. */
export const runLayout = {
  manifest: "run.json",
  history: "history.jsonl",
  /** Clocks and durations: the only file of a run that differs between equal runs. */
  timings: "timings.jsonl",
  lock: ".lock",
  checkpoints: "checkpoints",
  /** One empty file for each step whose checkpoint stays until it is unpinned. */
  pins: "pins",
  artifacts: "artifacts",
  evaluations: "evaluations",
  ranking: "ranking.json",
  best: "best",
} as const;

/** Names of the manifests at the root of a folder: each commits its folder, but for `metrics`, which is replaced in place. */
export const manifestNames = {
  checkpoint: "checkpoint.json",
  artifact: "artifact.json",
  evaluation: "evaluation.json",
  metrics: "metrics.json",
} as const;

/**
 * Folder name of a step: `step-` and eight digits, so that names sort as steps do; above 99,999,999 with more digits,
 * and then only {@link parseStepName} gives the order.
 *
 * @throws {TypeError} When `step` is not a whole number from 0.
 */
export function formatStepName(step: number): string {
  if (!Number.isSafeInteger(step) || step < 0) throw new TypeError(`expected a step from 0, found ${step}`);
  return `step-${String(step).padStart(8, "0")}`;
}

/** The step a folder is named for, or `undefined` if it is not a step folder; the reverse of {@link formatStepName}. */
export function parseStepName(name: string): number | undefined {
  const step = /^step-(\d{8,16})$/.exec(name)?.[1];
  if (step === undefined || !Number.isSafeInteger(Number(step))) return undefined;
  return formatStepName(Number(step)) === name ? Number(step) : undefined;
}

/** Where the checkpoint of a step stands in a run. */
export function checkpointPath(run: string, step: number): string {
  return join(run, runLayout.checkpoints, formatStepName(step));
}

/** Where the artifact of a checkpoint of a run stands. */
export function artifactPath(run: string, step: number): string {
  return join(run, runLayout.artifacts, formatStepName(step));
}
