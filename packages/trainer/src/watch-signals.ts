/** The first SIGINT or SIGTERM of the process as an abort signal. */
export interface SignalWatch {
  /** For {@link CheckpointerOptions.signal}. */
  readonly signal: AbortSignal;
  /** 130 after SIGINT, 143 after SIGTERM, as shells give them; `undefined` if no signal came. */
  exitCode(): 130 | 143 | undefined;
  /** Leaves the signals to whoever had them before. */
  stop(): void;
}

/**
 * Watches for SIGINT and SIGTERM: the first raises the abort signal, for the loop to stop at its next step with the state
 * saved; the second ends the process at once.
 *
 * @param onSignal - Called at the first one.
 */
export function watchSignals(onSignal: (signal: NodeJS.Signals) => void = () => undefined): SignalWatch {
  const controller = new AbortController();
  let exitCode: 130 | 143 | undefined;
  const receive = (signal: NodeJS.Signals): void => {
    if (exitCode !== undefined) process.exit(signal === "SIGINT" ? 130 : 143);
    exitCode = signal === "SIGINT" ? 130 : 143;
    onSignal(signal);
    controller.abort();
  };
  process.on("SIGINT", receive).on("SIGTERM", receive);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    stop: () => void process.off("SIGINT", receive).off("SIGTERM", receive),
  };
}
