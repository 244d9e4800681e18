import { describe, expect, it } from "vitest";

import { createProgress, type Progress } from "./progress.js";

interface Shown {
  readonly progress: Progress;
  readonly printed: () => string;
  readonly wait: (durationMs: number) => void;
}

function show({ isInteractive = false, hasColor = false, isQuiet = false, width = 80 } = {}): Shown {
  let text = "";
  let nowMs = 0;
  const stderr = (added: string): void => void (text += added);
  const terminal = { stderr, isInteractive, hasColor, columns: () => width };
  return {
    progress: createProgress(terminal, isQuiet, () => nowMs),
    printed: () => text,
    wait: (durationMs) => void (nowMs += durationMs),
  };
}

describe("createProgress", () => {
  it("prints one plain line per finished unit where nothing is rewritten", () => {
    const { progress, printed } = show();
    progress.update("half");
    progress.done("whole");
    progress.warn("look");
    progress.end();
    expect(printed()).toBe("✔ whole\n! look\n");
  });

  it("rewrites the moving line on a terminal and takes it away before a line that stays, and at the end", () => {
    const { progress, printed, wait } = show({ isInteractive: true });
    progress.update("1");
    wait(100);
    progress.update("2");
    progress.done("whole");
    wait(100);
    progress.update("3");
    progress.end();
    progress.end();
    expect(printed()).toBe("1\r\u001B[K2\r\u001B[K✔ whole\n3\r\u001B[K");
  });

  it("redraws at most every 80 ms", () => {
    const { progress, printed, wait } = show({ isInteractive: true });
    progress.update("1");
    wait(79);
    progress.update("2");
    wait(1);
    progress.update("3");
    expect(printed()).toBe("1\r\u001B[K3");
  });

  it("cuts the moving line to the width of the terminal, since a wrapped line cannot be taken back", () => {
    const { progress, printed } = show({ isInteractive: true, width: 5 });
    progress.update("123456789");
    expect(printed()).toBe("1234");
  });

  it("colours signs and the moving line where there is colour, never the finished text", () => {
    const { progress, printed } = show({ isInteractive: true, hasColor: true });
    progress.update("now");
    progress.done("whole");
    progress.warn("look");
    expect(printed()).toBe("\u001B[2mnow\u001B[22m\r\u001B[K\u001B[32m✔\u001B[39m whole\n\u001B[33m!\u001B[39m look\n");
  });

  it("prints warnings only when quiet", () => {
    const { progress, printed } = show({ isInteractive: true, isQuiet: true });
    progress.update("now");
    progress.done("whole");
    progress.warn("look");
    expect(printed()).toBe("! look\n");
  });
});
