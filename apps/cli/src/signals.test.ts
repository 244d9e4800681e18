import { once } from "node:events";

import type { SignalWatch } from "@ckpt/trainer/watch-signals";
import { afterEach, describe, expect, it } from "vitest";

import { announceSignals } from "./signals.js";

let watch: SignalWatch | undefined;
afterEach(() => watch?.stop());

/** The process of the tests itself gets the signal: as long as it is watched, it does not end by it. */
describe("announceSignals", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s raises the signal, says so, and ends with %i", async (name, exitCode) => {
    let printed = "";
    watch = announceSignals({ stderr: (text) => void (printed += text), isInteractive: false });
    expect(watch.exitCode()).toBeUndefined();
    expect(watch.signal.aborted).toBe(false);
    const aborted = once(watch.signal, "abort");
    process.kill(process.pid, name);
    await aborted;
    expect(watch.exitCode()).toBe(exitCode);
    expect(printed).toBe(`${name}: stopping with the state saved; once more to end at once\n`);
  });

  it("leaves the line that is being rewritten on a terminal", async () => {
    let printed = "";
    watch = announceSignals({ stderr: (text) => void (printed += text), isInteractive: true });
    const aborted = once(watch.signal, "abort");
    process.kill(process.pid, "SIGTERM");
    await aborted;
    expect(printed).toMatch(/^\nSIGTERM: /);
  });

  it("leaves no listener behind when stopped", () => {
    const before = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
    announceSignals({ stderr: () => undefined, isInteractive: false }).stop();
    expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(before);
  });
});
