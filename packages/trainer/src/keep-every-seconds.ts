import { createRetentionPolicy } from "./keep-steps.js";
import { requireNumber } from "./require-number.js";
import type { RetentionPolicy } from "./retention-policy.js";

/**
 * Keeps the first checkpoint, and then each that was saved at least `n` seconds of training after the last one kept.
 * A checkpoint whose time is not known stays: nothing is deleted out of ignorance. What was chosen once is chosen again,
 * however often the others were deleted in between.
 *
 * @throws {CkptError} INVALID_OPTION when `n` is not a positive number.
 */
export function keepEverySeconds(n: number): RetentionPolicy {
  requireNumber("keepEverySeconds", n, "a positive number", (value) => value > 0);
  return createRetentionPolicy(`every ${n} seconds of training`, (checkpoints) => {
    let last = -Infinity;
    return checkpoints.filter(({ trainedSeconds }) => {
      if (trainedSeconds === undefined) return true;
      if (trainedSeconds - last < n) return false;
      last = trainedSeconds;
      return true;
    });
  });
}
