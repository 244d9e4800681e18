import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { runLayout } from "@ckpt/manifest";
import { describe, expect, it, onTestFinished } from "vitest";

import { makeFolder } from "../make-folder.js";
import { makeSpread } from "../make-spread.js";

const program = fileURLToPath(new URL("../processes/race.ts", import.meta.url));
const flags = [
  "--conditions=@ckpt/source",
  "--import",
  new URL("../../../../scripts/register-typescript.mjs", import.meta.url).href,
];

/** What a process printed, line by line. With `killAt` it is killed as soon as it prints that. */
function race(args: readonly string[], killAt?: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [...flags, program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (killAt !== undefined && output.includes(killAt)) child.kill("SIGKILL");
  });
  return new Promise((resolve) => child.once("close", () => resolve(output.trim().split("\n"))));
}

describe("a race that is killed", () => {
  it("leaves no result, and run again it has that of one that was not", async () => {
    const { path, artifacts } = await makeSpread(await makeFolder(), 10, [0, 0.001, 0.002, 0.003]);
    const options = (name: string): string[] => ["--rows", "8000", "--evaluations", join(path, name), ...artifacts];
    const whole = await race(options("whole"));
    const killed = await race(["--delay", "200", ...options("killed")], "look 256");
    expect(killed.at(-1)).toBe("look 256");
    await expect(readdir(join(path, "killed", runLayout.races))).rejects.toThrow("ENOENT");
    expect(await race(options("killed"))).toEqual(whole);
    const read = async (name: string): Promise<string> => {
      const folder = join(path, name, runLayout.races);
      const [file = ""] = await readdir(folder);
      return readFile(join(folder, file), "utf8");
    };
    expect(await read("killed")).toBe(await read("whole"));
  });
});
