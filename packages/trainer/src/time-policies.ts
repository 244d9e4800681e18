import { requireNumber } from "./require-number.js";
import { createStatelessPolicy, type SavePolicy } from "./save-policy.js";

/**
 * Saves when this process has trained for at least `n` seconds since it last saved a checkpoint, by whichever policy, or
 * since it began. Which steps those are depends on the machine: two runs that save by time are not equal.
 *
 * @throws {CkptError} INVALID_OPTION when `n` is not a positive number.
 */
export function everySeconds(n: number): SavePolicy {
  requireNumber("everySeconds", n, "a positive number", (value) => value > 0);
  return createStatelessPolicy(`${n} seconds after the last save`, ({ secondsSinceSave }) => secondsSinceSave >= n);
}

/**
 * Saves whenever no checkpoint is being written: as often as the disk keeps up with. With {@link everySeconds} in
 * `allOf`, that is the least time between two saves. Which steps are saved depends on the machine.
 */
export function whenIdle(): SavePolicy {
  return createStatelessPolicy("no checkpoint is being written", ({ isIdle }) => isIdle);
}
