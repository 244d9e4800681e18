import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it, onTestFinished } from "vitest";

import { openRun } from "../../src/index.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";

const child = join(import.meta.dirname, "../train-child.ts");
const loader = new URL("../../../../scripts/register-typescript.mjs", import.meta.url).href;

/** Runs a training process; kills it by SIGKILL at `killAt`, or lets it finish. */
async function runChild(run: string, killAt?: number, whileHeld?: () => Promise<void>): Promise<void> {
  const args = ["--conditions=@ckpt/source", "--import", loader, child, run, String(killAt ?? "")];
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void started.kill("SIGKILL"));
  const exit = once(started, "exit") as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  let errors = "";
  started.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  for await (const line of createInterface({ input: started.stdout })) {
    if (line !== `step ${killAt}`) continue;
    await whileHeld?.();
    started.kill("SIGKILL");
  }
  const [code, signal] = await exit;
  expect(killAt === undefined ? code : signal, errors).toBe(killAt === undefined ? 0 : "SIGKILL");
}

describe("a training process killed by SIGKILL", () => {
  it("is locked while it lives, and goes on afterwards to the bytes of one that was never killed", async () => {
    const folder = await makeTestFolder();
    const [killed, whole] = [join(folder, "killed"), join(folder, "whole")];
    const uninterrupted = runChild(whole);
    await runChild(killed, 3, () =>
      expect(openRun({ path: killed, isResuming: true })).rejects.toMatchObject({ code: "RUN_LOCKED" }),
    );
    await runChild(killed, 13);
    await runChild(killed);
    await uninterrupted;
    expect((await verifyRun(killed)).problems).toEqual([]);
    const files = await readRunFiles(whole);
    expect(Object.keys(files).length).toBeGreaterThan(10);
    expect(await readRunFiles(killed)).toEqual(files);
  }, 120_000);
});
