import { CkptError, isCkptError } from "@ckpt/manifest";

/** An error in the form in which it crosses threads. */
export interface SentError {
  readonly code?: string;
  readonly details?: unknown;
  readonly message: string;
  /** Of the file system's own error, `ENOSPC` for example. */
  readonly causeCode?: string;
}

/** Puts an error into the form in which it crosses threads; the reverse of {@link restoreError}. */
export function serializeError(error: unknown): SentError {
  if (!isCkptError(error)) return { message: error instanceof Error ? error.message : String(error) };
  const { code, details, message } = error;
  const causeCode = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return { code, details, message, ...(causeCode === undefined ? {} : { causeCode }) };
}

/** Makes an error again of the form in which it crossed threads. */
export function restoreError({ code, details, message, causeCode }: SentError): Error {
  if (code === undefined) return new Error(message);
  const cause = causeCode === undefined ? undefined : Object.assign(new Error(causeCode), { code: causeCode });
  return new CkptError(code as "FILE_SYSTEM", details as CkptError<"FILE_SYSTEM">["details"], { cause });
}
