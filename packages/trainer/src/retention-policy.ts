import { CkptError, compareMetric, type Metrics } from "@ckpt/manifest";

import { type Monitor, type MonitorOptions, resolveMonitor } from "./metric-mode.js";

/** What retention looks at: the step of a committed checkpoint and what was measured there. */
export interface RetentionCandidate {
  readonly step: number;
  readonly metrics: Metrics;
}

/** Says which checkpoints are worth keeping. A pure value; policies add up. */
export interface RetentionPolicy {
  readonly description: string;
  /** The metrics the policy cannot do without. */
  readonly monitors: readonly Monitor[];
  /** The steps to keep. `checkpoints` are in the order of their steps. */
  select(checkpoints: readonly RetentionCandidate[]): readonly number[];
}

/** The rules by which checkpoints stay. */
export interface SelectKeptOptions {
  /** A checkpoint stays if any policy keeps it. None: all stay, up to `maxToKeep`. */
  readonly keep: readonly RetentionPolicy[];
  /** At most so many stay in all. */
  readonly maxToKeep: number;
  /** Metrics whose best checkpoint stays whatever the policies say, besides those the policies monitor. */
  readonly monitors?: readonly Monitor[];
}

/**
 * Keeps the `k` checkpoints with the best values of a metric. Of equal values the older is better; a checkpoint where
 * the metric was not measured or is not finite is not among them.
 *
 * @throws {CkptError} INVALID_OPTION when `k` is not a positive integer, or `mode` is left out for an unknown metric.
 */
export function keepBest(k: number, options: MonitorOptions): RetentionPolicy {
  requireCount("keepBest", k, 1);
  const monitor = resolveMonitor(options);
  return {
    description: `best ${k} by ${monitor.monitor} (${monitor.mode})`,
    monitors: [monitor],
    select: (checkpoints) =>
      sortByMetric(checkpoints, monitor)
        .slice(0, k)
        .map(({ step }) => step),
  };
}

/**
 * Keeps the `k` newest checkpoints.
 *
 * @throws {CkptError} INVALID_OPTION when `k` is not a positive integer.
 */
export function keepLatest(k: number): RetentionPolicy {
  requireCount("keepLatest", k, 1);
  return {
    description: `latest ${k}`,
    monitors: [],
    select: (checkpoints) => checkpoints.slice(-k).map(({ step }) => step),
  };
}

/** The checkpoint with the best value of a metric, or `undefined` where no value is finite. */
export function findBest<Candidate extends RetentionCandidate>(
  checkpoints: readonly Candidate[],
  monitor: Monitor,
): Candidate | undefined {
  return sortByMetric(checkpoints, monitor)[0];
}

/**
 * Returns the steps of the checkpoints that stay, ascending: the newest one, the best by each monitored metric, and
 * what the policies keep. If that is more than `maxToKeep`, the oldest go first, but never the newest or a best.
 *
 * @throws {CkptError} INVALID_OPTION when `maxToKeep` leaves no room for the newest and the best.
 */
export function selectKept(
  checkpoints: readonly RetentionCandidate[],
  { keep, maxToKeep, monitors = [] }: SelectKeptOptions,
): readonly number[] {
  const watched = [...keep.flatMap((policy) => policy.monitors), ...monitors];
  const watchedNames = new Set(watched.map(({ monitor, mode }) => `${monitor} ${mode}`));
  requireCount("maxToKeep", maxToKeep, 1 + watchedNames.size);

  const ordered = checkpoints.toSorted((a, b) => a.step - b.step);
  const protectedSteps = [ordered.at(-1), ...watched.map((monitor) => findBest(ordered, monitor))];
  const wanted = keep.length === 0 ? ordered.map(({ step }) => step) : keep.flatMap((policy) => policy.select(ordered));
  // In order of importance: a set keeps the first of equal entries.
  const ranked = new Set([
    ...protectedSteps.flatMap((checkpoint) => (checkpoint === undefined ? [] : [checkpoint.step])),
    ...wanted.toSorted((a, b) => b - a),
  ]);
  return [...ranked].slice(0, maxToKeep).toSorted((a, b) => a - b);
}

function sortByMetric<Candidate extends RetentionCandidate>(
  checkpoints: readonly Candidate[],
  { monitor, mode }: Monitor,
): readonly Candidate[] {
  const value = ({ metrics }: RetentionCandidate): number => metrics[monitor] ?? Number.NaN;
  return checkpoints
    .filter((checkpoint) => Number.isFinite(value(checkpoint)))
    .toSorted((a, b) => compareMetric(value(a), value(b), mode) || a.step - b.step);
}

function requireCount(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new CkptError("INVALID_OPTION", {
      option,
      expected: `an integer of at least ${least}`,
      found: String(value),
    });
  }
}
