import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

/** What a process that freezes one model into all formats says of itself; milliseconds since it started. */
export interface FirstFreeze {
  readonly bootMs: number;
  /** Packages and backend are loaded. */
  readonly importedMs: number;
  readonly frozenMs: number;
  /** Of all its threads. */
  readonly cpuMs: number;
  /** Resident when it began to freeze. */
  readonly baselineBytes: number;
  readonly peakBytes: number;
}

/**
 * Freezes a model in new processes, each into a folder of its own, with the packages as they are built.
 *
 * @param model - Folder of its `model.json`.
 * @param given - Backend; default: what TensorFlow.js begins with.
 * @returns one for each of `count` processes, after one that is not counted.
 */
export function measureFirstFreezes(model: string, count: number, ...given: readonly string[]): readonly FirstFreeze[] {
  const program = join(import.meta.dirname, "programs/first-freeze.mjs");
  return Array.from({ length: 1 + count }, (_, round) => {
    const options = [program, join(model, "model.json"), `${model}-frozen-${round}`, ...given];
    return JSON.parse(execFileSync(process.execPath, options, { encoding: "utf8", stdio: "pipe" })) as FirstFreeze;
  }).slice(1);
}
