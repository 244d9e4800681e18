import { afterEach, describe, expect, it } from "vitest";

import { openTerminal } from "./terminal.js";

// Each terminal listens for a closed pipe as long as the process lives; the process of the tests lives on.
afterEach(() => {
  for (const stream of [process.stdout, process.stderr])
    stream.off("error", stream.listeners("error").at(-1) as () => void);
});

describe("openTerminal", () => {
  it.each([
    ["nothing set", {}, true, true, true],
    ["no TTY", {}, false, false, false],
    ["CI", { CI: "true" }, true, false, false],
    ["an empty CI", { CI: "" }, true, true, true],
    ["NO_COLOR", { NO_COLOR: "1" }, true, true, false],
    ["an empty NO_COLOR", { NO_COLOR: "" }, true, true, true],
    ["a cursor that does not move", { TERM: "dumb" }, true, false, false],
  ])("with %s", (_name, environment, isTty, isInteractive, hasColor) => {
    expect(openTerminal(environment, isTty)).toMatchObject({ isInteractive, hasColor });
  });

  it("takes a reader that went away as no error, and every other error as one", () => {
    openTerminal({}, false);
    const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    expect(() => process.stdout.emit("error", broken)).not.toThrow();
    expect(() => process.stdout.emit("error", new Error("write EIO"))).toThrow("EIO");
  });
});
