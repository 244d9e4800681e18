import { createRequire } from "node:module";

import type { SignalWatch } from "@ckpt/trainer/watch-signals";
import yargs from "yargs";

import type { CommandResult } from "./command-context.js";
import type { Command } from "./command.js";
import { exitCodeOf, exitCodes } from "./exit-code.js";
import { createProgress } from "./progress.js";
import { describeError, reportError, UsageError } from "./report-error.js";
import { serializeResult } from "./serialize-result.js";
import { announceSignals } from "./signals.js";
import { openTerminal, type Terminal } from "./terminal.js";

/**
 * Every subcommand, in the order of the help. Loaded when asked for: TensorFlow.js takes most of a second to load, and
 * `ls`, `show` and `verify` do without it.
 */
const commands: Readonly<Record<string, (add: AddCommand) => Promise<void>>> = {
  run: async (add) => add((await import("./commands/run.js")).runCommand),
  train: async (add) => add((await import("./commands/train.js")).trainCommand),
  average: async (add) => add((await import("./commands/average.js")).averageCommand),
  freeze: async (add) => add((await import("./commands/freeze.js")).freezeCommand),
  evaluate: async (add) => add((await import("./commands/evaluate.js")).evaluateCommand),
  rank: async (add) => add((await import("./commands/rank.js")).rankCommand),
  soup: async (add) => add((await import("./commands/soup.js")).soupCommand),
  gate: async (add) => add((await import("./commands/gate.js")).gateCommand),
  promote: async (add) => add((await import("./commands/promote.js")).promoteCommand),
  export: async (add) => add((await import("./commands/export.js")).exportCommand),
  ls: async (add) => add((await import("./commands/ls.js")).lsCommand),
  show: async (add) => add((await import("./commands/show.js")).showCommand),
  diff: async (add) => add((await import("./commands/diff.js")).diffCommand),
  pin: async (add) => add((await import("./commands/pin.js")).pinCommand),
  verify: async (add) => add((await import("./commands/verify.js")).verifyCommand),
  doctor: async (add) => add((await import("./commands/doctor.js")).doctorCommand),
};

type AddCommand = <Arguments>(command: Command<Arguments>) => void;

const epilogue = `Exit codes: 0 ok; 1 a gate is not passed; 2 wrong usage or configuration; 3 bad input, such as a
damaged file; 4 the run failed; 5 a gate cannot tell; 130, 143 stopped by SIGINT or SIGTERM with the state saved.`;

const terminal = openTerminal();
process.exitCode = await main(process.argv.slice(2), terminal, announceSignals(terminal));

async function main(argv: readonly string[], terminal: Terminal, signals: SignalWatch): Promise<number> {
  const isJson = argv.includes("--json") || argv.includes("--json=true");
  try {
    const outcome = await dispatch(argv, terminal, signals);
    if (outcome === undefined) return exitCodes.ok;
    const { command, result } = outcome;
    terminal.stdout(isJson ? serializeResult({ command, ...result.document }) : result.text);
    return signals.exitCode() ?? result.exitCode;
  } catch (error) {
    const stopped = signals.exitCode();
    const isStop = stopped !== undefined && error instanceof Error && error.name === "AbortError";
    if (isStop) terminal.stderr("stopped by a signal; everything finished so far is kept\n");
    else reportError(error, terminal, argv.includes("--debug"));
    if (isJson) terminal.stdout(serializeResult({ error: describeError(error) }));
    if (isStop) return stopped;
    return error instanceof UsageError ? exitCodes.usage : exitCodeOf(error);
  } finally {
    signals.stop();
  }
}

interface Outcome {
  readonly command: string;
  readonly result: CommandResult;
}

async function dispatch(
  argv: readonly string[],
  terminal: Terminal,
  signals: SignalWatch,
): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  const parser = yargs([...argv])
    .scriptName("ckpt")
    .usage("$0 <command>\n\nFrom the training loop to the chosen, frozen, proven inference artifact.")
    .option("json", { type: "boolean", default: false, describe: "Print one JSON document on stdout" })
    .option("quiet", { type: "boolean", default: false, describe: "No progress on stderr" })
    .option("debug", { type: "boolean", default: false, describe: "Print stacks with errors" })
    .version(readVersion())
    .alias("help", "h")
    .epilogue(epilogue)
    .demandCommand(1, "no command given")
    .recommendCommands()
    .strict()
    .detectLocale(false)
    // An option that may be repeated takes one value each time, and leaves the positional argument after it alone.
    .parserConfiguration({ "greedy-arrays": false, "camel-case-expansion": false })
    .exitProcess(false)
    .wrap(Math.min(110, process.stdout.columns || 110))
    .fail((message, error) => {
      // A YError is yargs' own: what it could not parse at all.
      if (error !== undefined && error.name !== "YError") throw error;
      const text = message ?? error?.message ?? "";
      throw new UsageError(text.startsWith("Did you mean") ? `unknown command ${argv[0] ?? ""}. ${text}` : text);
    });
  const add = <Arguments>(command: Command<Arguments>): void => {
    parser.command(
      command.usage,
      command.summary,
      (options) =>
        command
          .options(options as Parameters<typeof command.options>[0])
          .example(command.examples.map(([line, effect]): [string, string] => [`ckpt ${line}`, effect])),
      async (given) => {
        requireGivenOnce(given, command.repeatable ?? []);
        const progress = createProgress(terminal, given["quiet"] === true);
        try {
          const context = { progress, signal: signals.signal };
          const result = await command.run(given as unknown as Arguments, context);
          outcome = { command: command.usage.split(" ", 1).join(), result };
        } finally {
          progress.end();
        }
      },
    );
  };
  // Only these may stand before the command; where anything else does, yargs has to find out what the command is.
  const first = argv.find((argument) => !["--json", "--quiet", "--debug"].includes(argument));
  const named = Object.entries(commands).find(([name]) => name === first);
  const others = first === "--version" ? [] : Object.values(commands);
  for (const load of named === undefined ? others : [named[1]]) await load(add);
  await parser.parseAsync();
  return outcome;
}

/** yargs makes a list of an option that is repeated, whatever its type. */
function requireGivenOnce(given: Readonly<Record<string, unknown>>, repeatable: readonly string[]): void {
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value) && name !== "_" && !repeatable.includes(name)) {
      throw new UsageError(`--${name} is given more than once`);
    }
  }
}

function readVersion(): string {
  return (createRequire(import.meta.url)("../package.json") as { readonly version: string }).version;
}
