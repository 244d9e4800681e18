import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";
import { afterAll } from "vitest";

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its lines on standard output. */
  readonly lines: readonly string[];
  readonly errors: string;
}

/** How a program is started. */
export interface StartOptions {
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called at each line that it prints, as soon as that is there. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
}

export interface CompiledTrainer {
  /** Runs a program of test/faults/programs to its end. */
  run(program: string, args: readonly string[], options?: StartOptions): Promise<Ended>;
  /** Where a program is, for a process that starts it in a way of its own. */
  pathOf(program: string): string;
}

const packages = fileURLToPath(new URL("../../..", import.meta.url));
const trainer = join(packages, "trainer");

/**
 * Compiles the trainer, the manifest package and the programs once into a folder of their own: a process started from
 * there spends 0.5 s, most of it on TensorFlow.js, instead of the 1.2 s of one that compiles for itself, in each of its
 * threads, and there are hundreds of them.
 */
export function useCompiledTrainer(): CompiledTrainer {
  const out = mkdtempSync(join(tmpdir(), "ckpt-trainer-compiled-"));
  // Readable for a process that has given up being root.
  chmodSync(out, 0o755);
  compileFolder(join(packages, "manifest/src"), join(out, "node_modules/@ckpt/manifest/src"));
  writeFileSync(
    join(out, "node_modules/@ckpt/manifest/package.json"),
    '{"name":"@ckpt/manifest","type":"module","exports":"./src/index.js"}',
  );
  for (const folder of ["src", "test", "test/faults/programs"]) compileFolder(join(trainer, folder), join(out, folder));
  for (const name of ["package.json", "tfjs.cjs"]) writeFileSync(join(out, name), readFileSync(join(trainer, name)));
  for (const name of ["zod", "@tensorflow"]) {
    symlinkSync(join(trainer, "node_modules", name), join(out, "node_modules", name));
  }
  afterAll(() => {
    rmSync(out, { recursive: true, force: true });
  });

  const pathOf = (program: string): string => join(out, "test/faults/programs", `${program}.js`);
  return {
    pathOf,
    run: (program, args, { nodeOptions = [], env = {}, onLine } = {}) => {
      const options = {
        stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...env },
      };
      return collect(spawn(process.execPath, [...nodeOptions, pathOf(program), ...args], options), onLine);
    },
  };
}

function compileFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(from, name), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    writeFileSync(join(to, name.replace(/\.ts$/, ".js")), outputText);
  }
}

function collect(child: ChildProcess, onLine: StartOptions["onLine"]): Promise<Ended> {
  const lines: string[] = [];
  let rest = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      onLine?.(line, child);
    }
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({ code, signal, lines, errors });
    });
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
