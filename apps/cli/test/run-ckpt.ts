import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/** What `npm install` links as `ckpt`: the built program. From source a process takes 0.5 s of CPU time more. */
export const program: string = join(import.meta.dirname, "../bin/ckpt.js");

/** What a process printed and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `ckpt` that is running. */
export interface RunningCkpt {
  readonly outcome: Promise<Outcome>;
  /** Resolves once stderr has `text`; rejects with all that was printed if the process ends before. */
  waitFor(text: string): Promise<void>;
  send(signal: NodeJS.Signals): void;
}

export interface CkptOptions {
  /** The working directory. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the program, with its output piped. */
export function startCkpt(given: readonly string[], { cwd, env }: CkptOptions): RunningCkpt {
  const child = spawn(program, given, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const printed = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.stderr += text;
    for (const check of waiting) check();
  });
  const outcome = waitForEnd(child, printed);
  return {
    outcome,
    send: (signal) => void child.kill(signal),
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!printed.stderr.includes(text)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
        outcome.then(
          ({ code, stdout, stderr }) => reject(new Error(`ended with ${code} before ${text}\n${stdout}\n${stderr}`)),
          reject,
        );
      }),
  };
}

/** Runs the program to its end. */
export function runCkpt(given: readonly string[], options: CkptOptions): Promise<Outcome> {
  return startCkpt(given, options).outcome;
}

/** As {@link runCkpt}, and fails with all that was printed unless the program ends with 0. */
export async function requireCkpt(given: readonly string[], options: CkptOptions): Promise<Outcome> {
  const outcome = await runCkpt(given, options);
  if (outcome.code === 0) return outcome;
  throw new Error(`ckpt ${given.join(" ")} ended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
}

function waitForEnd(child: ChildProcess, printed: { readonly stdout: string; readonly stderr: string }) {
  return new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject).on("close", (code, signal) => resolve({ code, signal, ...printed }));
  });
}
