import { requirePositiveInteger } from "./require-positive-integer.js";
import { requireSteps } from "./require-steps.js";
import type { RetentionCandidate, RetentionPolicy } from "./retention-policy.js";

/**
 * Keeps the `k` newest checkpoints.
 *
 * @throws {CkptError} INVALID_OPTION when `k` is not a positive integer.
 */
export function keepLatest(k: number): RetentionPolicy {
  requirePositiveInteger("keepLatest", k);
  return createRetentionPolicy(`latest ${k}`, (checkpoints) => checkpoints.slice(-k));
}

/**
 * Keeps the checkpoints whose step is an exact multiple of `n`.
 *
 * @throws {CkptError} INVALID_OPTION when `n` is not a positive integer.
 */
export function keepEverySteps(n: number): RetentionPolicy {
  requirePositiveInteger("keepEverySteps", n);
  return createRetentionPolicy(`every ${n} steps`, (checkpoints) => checkpoints.filter(({ step }) => step % n === 0));
}

/**
 * Keeps the checkpoints at these steps.
 *
 * @throws {CkptError} INVALID_OPTION when there are none, or one is not a positive integer.
 */
export function keepSteps(...steps: readonly number[]): RetentionPolicy {
  const chosen = requireSteps("keepSteps", steps);
  return createRetentionPolicy(`step ${[...chosen].join(", ")}`, (checkpoints) =>
    checkpoints.filter(({ step }) => chosen.has(step)),
  );
}

/** Makes a policy that looks at no metric. */
export function createRetentionPolicy(
  description: string,
  select: (checkpoints: readonly RetentionCandidate[]) => readonly RetentionCandidate[],
): RetentionPolicy {
  return { description, monitors: [], select: (checkpoints) => select(checkpoints).map(({ step }) => step) };
}
