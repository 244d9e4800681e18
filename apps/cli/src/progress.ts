import type { Terminal } from "./terminal.js";

/** Shows how far a command has come. */
export interface Progress {
  /** What goes on now; rewritten in place on a terminal, left out of a log. */
  update(text: string): void;
  /** A finished unit: one line that stays. */
  done(text: string): void;
  /** Something the user should know; shown even when quiet. */
  warn(text: string): void;
  /** Clears the line that is rewritten. */
  end(): void;
}

const clearLine = "\r\u001b[K";
/** Redrawing more often costs more than anybody can read. */
const redrawMs = 80;
/** Foreground colours and weight by SGR code, ECMA-48 section 8.3.117: how each is begun and ended. */
const styles = { green: [32, 39], yellow: [33, 39], dim: [2, 22] } as const;

/** Progress on stderr: one plain line per finished unit, plus a moving line where the terminal is interactive. */
export function createProgress(
  terminal: Omit<Terminal, "stdout">,
  isQuiet: boolean,
  now: () => number = Date.now,
): Progress {
  const paint = (style: keyof typeof styles, text: string): string =>
    terminal.hasColor ? `\u001b[${styles[style][0]}m${text}\u001b[${styles[style][1]}m` : text;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) terminal.stderr(clearLine);
    isDrawn = false;
  };
  return {
    update: (text) => {
      if (isQuiet || !terminal.isInteractive || now() - drawnAt < redrawMs) return;
      drawnAt = now();
      clear();
      // A line that wraps cannot be taken back, and one that fills the last column wraps on some terminals.
      terminal.stderr(paint("dim", text.slice(0, terminal.columns() - 1)));
      isDrawn = true;
    },
    done: (text) => {
      clear();
      if (!isQuiet) terminal.stderr(`${paint("green", "✔")} ${text}\n`);
    },
    warn: (text) => {
      clear();
      terminal.stderr(`${paint("yellow", "!")} ${text}\n`);
    },
    end: clear,
  };
}
