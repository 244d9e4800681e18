import { isatty } from "node:tty";

/** Where a command writes: the result to `stdout` and nothing else, progress to `stderr`. */
export interface Terminal {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal whose last line may be rewritten. */
  readonly isInteractive: boolean;
  readonly hasColor: boolean;
  /** Width of stderr in characters. */
  readonly columns: () => number;
}

/**
 * The terminal of this process. It is interactive when stderr is a TTY that moves its cursor (`TERM` is not `dumb`) and
 * `CI` is not set; it has colour when it is interactive and `NO_COLOR` is not set or empty (no-color.org). A reader that
 * went away, such as `head`, is no error: what is written to it is lost, and the work goes on.
 *
 * @param isTty - Whether stderr is a TTY.
 */
export function openTerminal(
  environment: NodeJS.ProcessEnv = process.env,
  isTty: boolean = isatty(process.stderr.fd),
): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignoreClosedPipe);
  const isInteractive = isTty && environment["TERM"] !== "dumb" && !environment["CI"];
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    isInteractive,
    hasColor: isInteractive && !environment["NO_COLOR"],
    // A pseudo-terminal without a size says 0.
    columns: () => process.stderr.columns || 80,
  };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
