import type { Argv } from "yargs";

import type { CommandContext, CommandResult } from "./command-context.js";

/** One subcommand: how it is called and what it does. Printing and exiting are the caller's. */
export interface Command<Arguments> {
  /** Name and positional arguments in yargs notation, such as `freeze <source>`. */
  readonly usage: string;
  readonly summary: string;
  /** Command lines after `ckpt`, each with what it does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
  /** Options that may be given more than once. Default: none. */
  readonly repeatable?: readonly string[];
  options(parser: Argv): Argv<Arguments>;
  run(given: Arguments, context: CommandContext): Promise<CommandResult>;
}
