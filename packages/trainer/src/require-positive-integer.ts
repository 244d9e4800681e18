import { CkptError } from "@ckpt/manifest";

/**
 * Refuses an option's value that is not a positive integer.
 *
 * @throws {CkptError} INVALID_OPTION, naming `option` and the value.
 */
export function requirePositiveInteger(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new CkptError("INVALID_OPTION", { option, expected: "a positive integer", found: String(value) });
  }
}
