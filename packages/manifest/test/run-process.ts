import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";
import { afterAll } from "vitest";

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

export interface Processes {
  /** Runs a program of test/processes to its end. */
  run(program: string, args: readonly string[]): Promise<Ended>;
  /** Starts one and waits for its first line. */
  start(program: string, args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly line: string }>;
  /** Where a program is, for a process that starts it in a way of its own. */
  pathOf(program: string): string;
}

/**
 * Compiles src and test/processes once into a folder of their own: a process started from there takes 0.1 s instead of
 * the 0.4 s of one that compiles for itself, and there are a hundred of them.
 */
export function useProcesses(): Processes {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const out = mkdtempSync(join(tmpdir(), "ckpt-manifest-processes-"));
  for (const folder of ["src", "test/processes"]) {
    mkdirSync(join(out, folder), { recursive: true });
    for (const name of readdirSync(join(root, folder))) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(root, folder, name), "utf8"), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      });
      writeFileSync(join(out, folder, name.replace(/\.ts$/, ".js")), outputText);
    }
  }
  writeFileSync(join(out, "package.json"), '{"type":"module"}');
  symlinkSync(join(root, "node_modules"), join(out, "node_modules"));
  afterAll(() => {
    rmSync(out, { recursive: true, force: true });
  });

  const pathOf = (program: string): string => join(out, "test/processes", `${program}.js`);
  const launch = (program: string, args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [pathOf(program), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  return {
    pathOf,
    run: (program, args) => collect(launch(program, args)),
    start: async (program, args) => {
      const child = launch(program, args);
      const line = await new Promise<string>((resolve, reject) => {
        child.stdout?.once("data", (chunk: Buffer) => {
          resolve(chunk.toString().trim());
        });
        child.once("exit", (code, signal) => {
          reject(new Error(`${program} ended with ${code ?? signal} and printed nothing`));
        });
      });
      return { child, line };
    },
  };
}

/** Waits for the end of a process; its standard input is closed. */
function collect(child: ChildProcess): Promise<Ended> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stdin?.end();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({ code, signal, output: output.trim() });
    });
  });
}

/** Kills a process that was started and waits until it is gone. */
export function killNow(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => {
      resolve();
    });
    child.kill("SIGKILL");
  });
}

/** Does `action` for every item, two at a time; in their order of starting. */
export async function forEachOfTwo<Item>(items: readonly Item[], action: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  const work = async (): Promise<void> => {
    for (const item of queue) await action(item);
  };
  await Promise.all([work(), work()]);
}
