import { CkptError, isCkptError } from "@ckpt/manifest";

/** An error in the form in which it crosses threads. */
export interface SentError {
  readonly code?: string;
  readonly details?: unknown;
  readonly message: string;
}

/**
 * Puts an error into the form in which it crosses threads; the reverse of {@link restoreError}.
 *
 * @param where - Said in front of an error that is not ckpt's own: its stack, which would say it, stays behind.
 */
export function serializeError(error: unknown, where: string): SentError {
  if (isCkptError(error)) return { code: error.code, details: error.details, message: error.message };
  return { message: `${where}: ${error instanceof Error ? error.message : String(error)}` };
}

/** Makes an error again of the form in which it crossed threads. */
export function restoreError({ code, details, message }: SentError): Error {
  if (code === undefined) return new Error(message);
  return new CkptError(code as "FILE_SYSTEM", details as CkptError<"FILE_SYSTEM">["details"]);
}
