import { CkptError } from "@ckpt/manifest";

import { requirePositiveInteger } from "./require-positive-integer.js";

/**
 * Returns a list of steps as a set, ascending, so that equal lists read alike.
 *
 * @throws {CkptError} INVALID_OPTION when there are none, or one is not a positive integer.
 */
export function requireSteps(option: string, steps: readonly number[]): ReadonlySet<number> {
  if (steps.length === 0) {
    throw new CkptError("INVALID_OPTION", { option, expected: "at least one step", found: "none" });
  }
  for (const step of steps) requirePositiveInteger(option, step);
  return new Set(steps.toSorted((a, b) => a - b));
}
