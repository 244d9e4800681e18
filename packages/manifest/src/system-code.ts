/** The system's code of an error that is wrapped as `cause`, like `ENOENT`; `undefined` when there is none. */
export function readSystemCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code;
}
