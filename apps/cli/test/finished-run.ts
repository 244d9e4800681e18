import type { TestProject } from "vitest/node";

import { createProject, removeProjects } from "./project.js";
import { requireCkpt } from "./run-ckpt.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The fixture project after `ckpt run`, and what that printed. Each test file works on a copy. */
    readonly finished: { readonly project: string; readonly stdout: string; readonly stderr: string };
  }
}

/** Vitest calls it once before all test files of the program. */
export async function setup(tests: TestProject): Promise<void> {
  const project = await createProject();
  const { stdout, stderr } = await requireCkpt(["run"], { cwd: project });
  tests.provide("finished", { project, stdout, stderr });
}

/** Vitest calls it once after all of them. */
export async function teardown(): Promise<void> {
  await removeProjects();
}
