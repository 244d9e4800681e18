import { exitCodes } from "./exit-code.js";
import type { Terminal } from "./terminal.js";

/** The first SIGINT or SIGTERM of the process as an abort signal. */
export interface SignalWatch {
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, if one did. */
  exitCode(): number | undefined;
  stop(): void;
}

/**
 * Watches for SIGINT and SIGTERM: the first asks for a stop with the state saved, and says so on stderr; the second ends
 * the process at once.
 */
export function watchSignals(terminal: Pick<Terminal, "stderr" | "isInteractive">): SignalWatch {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const receive = (signal: NodeJS.Signals): void => {
    const code = signal === "SIGINT" ? exitCodes.sigint : exitCodes.sigterm;
    if (exitCode !== undefined) process.exit(code);
    exitCode = code;
    // On a terminal there is a line being rewritten, or the ^C that was typed.
    const lineFeed = terminal.isInteractive ? "\n" : "";
    terminal.stderr(`${lineFeed}${signal}: stopping with the state saved; once more to end at once\n`);
    controller.abort();
  };
  process.on("SIGINT", receive).on("SIGTERM", receive);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    stop: () => void process.off("SIGINT", receive).off("SIGTERM", receive),
  };
}
