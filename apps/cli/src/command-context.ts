import type { Progress } from "./progress.js";

/** What every command is given besides its own arguments. */
export interface CommandContext {
  readonly progress: Progress;
  /** Raised by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** What a command found: one document for `--json`, the same as text, and the exit code it asks for. */
export interface CommandResult {
  /** Becomes the one JSON document, after `schemaVersion` and `command`; so it has no field of these names. */
  readonly document: { readonly [field: string]: unknown; readonly schemaVersion?: never; readonly command?: never };
  readonly text: string;
  readonly exitCode: number;
}
