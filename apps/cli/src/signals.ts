import { type SignalWatch, watchSignals } from "@ckpt/trainer/watch-signals";

import type { Terminal } from "./terminal.js";

/** Watches for SIGINT and SIGTERM, and says on stderr what the first one does. */
export function announceSignals(terminal: Pick<Terminal, "stderr" | "isInteractive">): SignalWatch {
  return watchSignals((signal) => {
    // On a terminal there is a line being rewritten, or the ^C that was typed.
    const lineFeed = terminal.isInteractive ? "\n" : "";
    terminal.stderr(`${lineFeed}${signal}: stopping with the state saved; once more to end at once\n`);
  });
}
