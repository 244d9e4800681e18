import { execFileSync } from "node:child_process";
import { open, readdir, readFile, truncate } from "node:fs/promises";
import { join, relative } from "node:path";

import { digestBytes } from "@ckpt/manifest";

import { train } from "../../src/index.js";
import { tinyRun } from "./programs/tiny-run.js";

/** What is done to a file, in place: under each of its names, where it has several. */
export const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
  "a byte flipped": flipByte,
  "one byte missing": async (path) => truncate(path, (await readFile(path)).byteLength - 1),
  "nothing left": (path) => truncate(path, 0),
};

/** Flips one bit in the middle of a file. */
export async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const position = bytes.byteLength >> 1;
  const file = await open(path, "r+");
  try {
    await file.write(Uint8Array.of((bytes[position] ?? 0) ^ 1), 0, 1, position);
  } finally {
    await file.close();
  }
}

/** Trains the tiny run until an error ends it after this step. */
export async function trainUntil(run: string, step: number): Promise<void> {
  const end = new Error("ended by the test");
  await train({
    ...tinyRun(run),
    onProgress: (progress) => {
      if (progress.kind === "step" && progress.step === step) throw end;
    },
  }).catch((error: unknown) => {
    if (error !== end) throw error;
  });
}

/** Copies a run with its hard links. */
export function copyRun(from: string, to: string): void {
  execFileSync("cp", ["-a", from, to]);
}

/** Digests of all files in a folder, those whose names begin with a dot too. */
export async function readTree(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      paths.toSorted().map(async (path) => [relative(folder, path), digestBytes(await readFile(path))] as const),
    ),
  );
}
