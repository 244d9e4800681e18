import { type CkptError, type ErrorCode, isCkptError } from "../src/index.js";

/** What `action` throws, which has to be a {@link CkptError} of that code. */
export async function caught<C extends ErrorCode>(code: C, action: () => unknown): Promise<CkptError<C>> {
  let value: unknown;
  try {
    value = await action();
  } catch (error) {
    if (isCkptError(error, code)) return error;
    throw error;
  }
  throw new TypeError(`expected ${code}, found no error but ${JSON.stringify(value)}`);
}
