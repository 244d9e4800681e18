import { join } from "node:path";

import { digestBytes } from "./digest.js";

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
  /** In `evaluations`: one document for each race. */
  races: "races",
  /** Which artifacts were scored on test; appended to only. */
  testReads: "test-reads.jsonl",
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
  return `step-${padStep(step)}`;
}

/** The step a folder is named for, or `undefined` if it is not a step folder; the reverse of {@link formatStepName}. */
export function parseStepName(name: string): number | undefined {
  const step = /^step-(\d{8,16})$/.exec(name)?.[1];
  if (step === undefined || !Number.isSafeInteger(Number(step))) return undefined;
  return formatStepName(Number(step)) === name ? Number(step) : undefined;
}

/** What the name of a checkpoint's folder says. */
export interface CheckpointName {
  /** Optimizer updates completed; of an average, those of its newest parent. */
  readonly step: number;
  readonly isAverage: boolean;
}

/**
 * Folder name of an average: `average-`, the step of its newest parent, and the first 8 digits of a SHA-256 over the
 * parents' digests by step, a line each. So the same parents give the same name, in whatever order they come.
 *
 * @param treatment - What was done besides averaging, in words; another one gives another name. Default: nothing.
 * @throws {TypeError} When there are no parents, or a step is not a whole number from 0.
 */
export function formatAverageName(parents: readonly CheckpointParent[], treatment?: string): string {
  const ordered = parents.toSorted(compareParents);
  const newest = ordered.at(-1);
  if (newest === undefined) throw new TypeError("an average has parents");
  const lines = [...ordered.map(({ digest }) => digest), ...(treatment === undefined ? [] : [treatment])];
  return `average-${padStep(newest.step)}-${digestBytes(lines.join("\n")).slice(0, 8)}`;
}

/** One of the checkpoints that an average was made of. */
export interface CheckpointParent {
  readonly step: number;
  /** Of its manifest. */
  readonly digest: string;
}

/** Orders parents by step, ascending, and by digest where steps are equal. */
export function compareParents(a: CheckpointParent, b: CheckpointParent): number {
  return a.step - b.step || compareText(a.digest, b.digest);
}

/** Takes the name of a checkpoint's folder apart; `undefined` for what is neither trained nor an average. */
export function parseCheckpointName(name: string): CheckpointName | undefined {
  const trained = parseStepName(name);
  if (trained !== undefined) return { step: trained, isAverage: false };
  const digits = /^average-(\d{8,16})-[0-9a-f]{8}$/.exec(name)?.[1];
  const step = digits === undefined ? undefined : parseStepName(`step-${digits}`);
  return step === undefined ? undefined : { step, isAverage: true };
}

/** Orders folder names as lists show them: by step, an average after the trained checkpoint, what is neither last. */
export function compareCheckpointNames(a: string, b: string): number {
  const [first, second] = [parseCheckpointName(a), parseCheckpointName(b)];
  if (first === undefined || second === undefined) {
    return Number(first === undefined) - Number(second === undefined) || compareText(a, b);
  }
  return first.step - second.step || Number(first.isAverage) - Number(second.isAverage) || compareText(a, b);
}

/** Where the trained checkpoint of a step stands in a run. */
export function checkpointPath(run: string, step: number): string {
  return join(run, runLayout.checkpoints, formatStepName(step));
}

/** Where the artifact of a run's checkpoint stands: under the name of the checkpoint's own folder. */
export function artifactPath(run: string, checkpointName: string): string {
  return join(run, runLayout.artifacts, checkpointName);
}

function padStep(step: number): string {
  if (!Number.isSafeInteger(step) || step < 0) throw new TypeError(`expected a step from 0, found ${step}`);
  return String(step).padStart(8, "0");
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
