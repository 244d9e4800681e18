import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it, onTestFinished } from "vitest";

import { listCheckpoints } from "../../src/index.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";

const child = join(import.meta.dirname, "../signal-child.ts");
const loader = new URL("../../../../scripts/register-typescript.mjs", import.meta.url).href;
const totalSteps = "7";

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs the loop; sends it `signals`, the first when it holds, each other one when it has seen the one before. */
async function runChild(parameters: readonly string[], signals: readonly NodeJS.Signals[] = []): Promise<Ended> {
  const args = ["--conditions=@ckpt/source", "--import", loader, child, ...parameters];
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void started.kill("SIGKILL"));
  const exit = once(started, "exit") as Promise<[code: number | null]>;
  let errors = "";
  started.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const lines: string[] = [];
  const left = [...signals];
  for await (const line of createInterface({ input: started.stdout })) {
    if (line === "held" || line.startsWith("SIG")) {
      lines.push(line);
      const next = left.shift();
      if (next !== undefined) started.kill(next);
    }
  }
  const [code] = await exit;
  expect(left, errors).toEqual([]);
  return { code, lines };
}

const readResult = async (run: string): Promise<unknown> =>
  (JSON.parse(await readFile(join(run, "run.json"), "utf8")) as { readonly result?: unknown }).result;

describe("a loop of the user's own that watches for signals", () => {
  it("ends with its state saved and the exit code of the signal, and is gone on with exactly", async () => {
    const folder = await makeTestFolder();
    const run = join(folder, "run");
    // Beside each other: most of the time a process loads TensorFlow.js.
    const [whole, terminated] = await Promise.all([
      runChild([join(folder, "whole", "run"), "", totalSteps]),
      runChild([run, "3", totalSteps], ["SIGTERM"]),
    ]);
    expect(whole.code).toBe(0);
    expect(terminated).toEqual({ code: 143, lines: ["held", "SIGTERM"] });
    expect(await readResult(run)).toEqual({ step: 3, epoch: 0, reason: "stopped", cause: "a signal" });
    expect(existsSync(join(run, ".lock"))).toBe(false);
    expect(await runChild([run, "5", totalSteps], ["SIGINT"])).toEqual({ code: 130, lines: ["held", "SIGINT"] });
    const { checkpoints } = await listCheckpoints(run);
    expect(checkpoints.map(({ step, manifest }) => [step, manifest.reason])).toEqual([
      [3, "stopped before the end"],
      [5, "stopped before the end"],
    ]);
    expect((await verifyRun(run)).problems).toEqual([]);
    expect((await runChild([run, "", totalSteps])).code).toBe(0);
    expect(await readRunFiles(run)).toEqual(await readRunFiles(join(folder, "whole", "run")));
  });

  it("is ended at once by a second signal", async () => {
    const run = join(await makeTestFolder(), "run");
    const ended = await runChild([run, "2", totalSteps, "hang"], ["SIGINT", "SIGTERM"]);
    expect(ended).toEqual({ code: 143, lines: ["held", "SIGINT"] });
    expect(await readResult(run)).toBeUndefined();
  });
});
