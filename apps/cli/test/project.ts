import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Removed when the tests of this file end. */
const folders: string[] = [];

/** A copy of the fixture project, beside the tests so that it resolves `@ckpt/cli` and TensorFlow.js as a user's does. */
export async function createProject(...edits: readonly ConfigEdit[]): Promise<string> {
  const folder = await copyProject(join(import.meta.dirname, "fixtures/project"));
  await editConfig(folder, ...edits);
  return folder;
}

/** A copy of a project with all its runs. */
export async function copyProject(project: string): Promise<string> {
  const folder = await createFolder();
  await cp(project, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return folder;
}

/** A folder for what belongs to no project. */
export async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(import.meta.dirname, ".tmp-"));
  folders.push(folder);
  return folder;
}

export async function removeProjects(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** A piece of the configuration's text and what a user would write in its place. */
export type ConfigEdit = readonly [found: string, replacement: string];

export async function editConfig(project: string, ...edits: readonly ConfigEdit[]): Promise<void> {
  const path = join(project, "ckpt.config.ts");
  let text = await readFile(path, "utf8");
  for (const [found, replacement] of edits) {
    if (!text.includes(found)) throw new Error(`the configuration has no ${found}`);
    text = text.replace(found, replacement);
  }
  await writeFile(path, text);
}

/** Content of every file below a folder in hex, and target of every link, by path. */
export async function readTree(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const tree: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) tree[relative(folder, path)] = (await readFile(path)).toString("hex");
    if (entry.isSymbolicLink()) tree[relative(folder, path)] = await readlink(path);
  }
  return tree;
}

/** {@link readTree} of what equal runs have in common: all but the clocks. */
export async function readRun(run: string): Promise<Readonly<Record<string, string>>> {
  const { "timings.jsonl": _, ...tree } = await readTree(run);
  return tree;
}
