import { isCkptError } from "@ckpt/manifest";

import type { Terminal } from "./terminal.js";

/** A command line that yargs refused. */
export class UsageError extends Error {}

/** The error as a JSON value, for `--json`. */
export function describeError(error: unknown): object {
  if (isCkptError(error)) {
    return { code: error.code, message: error.message, remedy: error.remedy, details: error.details };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { code: "USAGE", message };
  return { code: error instanceof Error && error.name === "AbortError" ? "STOPPED" : "INTERNAL", message };
}

/** Prints code, message and remedy on stderr; the stack and the causes only when debugging. */
export function reportError(error: unknown, terminal: Terminal, isDebug: boolean): void {
  if (isCkptError(error)) {
    terminal.stderr(`error ${error.code}: ${error.message}\n  ${error.remedy}\n`);
  } else if (error instanceof UsageError) {
    terminal.stderr(`error USAGE: ${error.message}\n  See \`ckpt --help\` or \`ckpt <command> --help\`.\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    terminal.stderr(
      `error INTERNAL: ${message}\n  This is a defect of ckpt or of the model's own code; --debug prints the stack.\n`,
    );
  }
  if (!isDebug) return;
  for (let at: unknown = error; at instanceof Error; at = at.cause) terminal.stderr(`${at.stack ?? at.message}\n`);
}
