import { CkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { describeError, reportError, UsageError } from "./report-error.js";

function print(error: unknown, isDebug = false): string {
  let printed = "";
  const stderr = (text: string): void => void (printed += text);
  const terminal = { stdout: stderr, stderr, isInteractive: false, hasColor: false, columns: () => 80 };
  reportError(error, terminal, isDebug);
  return printed;
}

const cause = new Error("no space left");
const fileSystem = new CkptError("FILE_SYSTEM", { path: "runs", operation: "write", reason: cause.message }, { cause });

describe("reportError", () => {
  it("prints code, what and where, and the remedy, and no stack", () => {
    expect(print(fileSystem)).toBe(
      "error FILE_SYSTEM: runs: write failed: no space left\n" +
        "  Free space or correct the permissions, then try again; nothing that was committed is lost.\n",
    );
    expect(print(new UsageError("Unknown argument: x"))).toBe(
      "error USAGE: Unknown argument: x\n  See `ckpt --help` or `ckpt <command> --help`.\n",
    );
    expect(print(new RangeError("too deep"))).toMatch(
      /^error INTERNAL: too deep\n {2}This is a defect of ckpt or .*\n$/,
    );
    expect(print("thrown text")).toContain("error INTERNAL: thrown text\n");
  });

  it("prints the stacks of the error and of its causes when debugging", () => {
    const printed = print(fileSystem, true);
    expect(printed).toContain(fileSystem.stack);
    expect(printed).toContain(cause.stack);
  });
});

describe("describeError", () => {
  it("has all that is known, as JSON", () => {
    expect(JSON.parse(JSON.stringify(describeError(fileSystem)))).toEqual({
      code: "FILE_SYSTEM",
      message: "runs: write failed: no space left",
      remedy: fileSystem.remedy,
      details: { path: "runs", operation: "write", reason: "no space left" },
    });
    expect(describeError(new UsageError("x"))).toEqual({ code: "USAGE", message: "x" });
    expect(describeError(AbortSignal.abort().reason)).toMatchObject({ code: "STOPPED" });
    expect(describeError(new TypeError("x"))).toEqual({ code: "INTERNAL", message: "x" });
  });
});
