import { type ErrorCode, type ErrorDetails, errorTexts } from "./error-details.js";

/**
 * The one error class of all ckpt packages. `code` is from a closed list, `details` is typed by the code, and the
 * message says what, where and expected against found; `remedy` says what to do about it.
 */
export class CkptError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: ErrorDetails[C];
  readonly remedy: string;

  constructor(code: C, details: ErrorDetails[C], options?: ErrorOptions) {
    const text = errorTexts[code](details);
    super(text.message, options);
    this.code = code;
    this.details = details;
    this.remedy = text.remedy;
  }
}
// On the prototype, so that it is not listed among an error's own properties.
Object.defineProperty(CkptError.prototype, "name", { value: "CkptError", enumerable: false });

/**
 * Tells whether `error` is a {@link CkptError}, with `code` if one is given. Looks at the shape and not at the class,
 * so it also holds for an error made by another copy of this package.
 */
export function isCkptError<C extends ErrorCode>(error: unknown, code?: C): error is CkptError<C> {
  return (
    error instanceof Error &&
    error.name === "CkptError" &&
    "code" in error &&
    (code === undefined || error.code === code)
  );
}
