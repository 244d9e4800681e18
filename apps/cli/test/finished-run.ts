import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { TestProject } from "vitest/node";

import { createProject, removeProjects } from "./project.js";
import { requireCkpt } from "./run-ckpt.js";

const root = join(import.meta.dirname, "../../..");

declare module "vitest" {
  interface ProvidedContext {
    /** The fixture project after `ckpt run`, and what that printed. Each test file works on a copy. */
    readonly finished: { readonly project: string; readonly stdout: string; readonly stderr: string };
  }
}

/** Vitest calls it once before all test files of the program. */
export async function setup(tests: TestProject): Promise<void> {
  // Started by Turbo, the tests depend on the build; started by hand, they might meet one of yesterday.
  if (process.env["TURBO_HASH"] === undefined) await buildAll();
  const project = await createProject();
  const { stdout, stderr } = await requireCkpt(["run"], { cwd: project });
  tests.provide("finished", { project, stdout, stderr });
}

async function buildAll(): Promise<void> {
  const { packageManager } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Record<string, string>;
  await promisify(execFile)("npx", ["--yes", packageManager?.replace(/\+.*/, "") ?? "pnpm", "build"], { cwd: root });
}

/** Vitest calls it once after all of them. */
export async function teardown(): Promise<void> {
  await removeProjects();
}
