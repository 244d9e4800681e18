import { CkptError } from "@ckpt/manifest";

/**
 * Refuses an option's value that is not finite or for which `isAllowed` does not hold; `expected` says so in words.
 *
 * @throws {CkptError} INVALID_OPTION, naming `option` and the value.
 */
export function requireNumber(
  option: string,
  value: number,
  expected: string,
  isAllowed: (value: number) => boolean = () => true,
): void {
  if (!Number.isFinite(value) || !isAllowed(value)) {
    throw new CkptError("INVALID_OPTION", { option, expected, found: String(value) });
  }
}
