import { readlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";

import { CkptError, runLayout } from "@ckpt/manifest";

import { findFolders, findInRun, identifyFolder } from "./identify-folder.js";

/** The artifacts a path stands for and where their evaluations are kept. */
export interface ArtifactTarget {
  readonly artifacts: readonly string[];
  readonly evaluations: string;
  /** The run they belong to, if any. */
  readonly run?: string;
}

/**
 * Finds the artifacts that `path` means: all of a run, one artifact (also through a run's `best`), or all in a folder.
 *
 * @throws {CkptError} ARTIFACT_NOT_FOUND; FILE_SYSTEM when a folder cannot be read.
 */
export async function findArtifacts(path: string): Promise<ArtifactTarget> {
  const kind = await identifyFolder(path);
  if (kind === "run") {
    const artifacts = await findInRun(path, "artifact");
    if (artifacts.length === 0) throw new CkptError("ARTIFACT_NOT_FOUND", { path: join(path, runLayout.artifacts) });
    return { artifacts, evaluations: join(path, runLayout.evaluations), run: path };
  }
  // From here on parents and names count, and `.` and `..` have none. What was given as relative is shown as relative.
  const absolute = resolve(path);
  const show = isAbsolute(path) ? (shown: string): string => shown : relateToHere;
  if (kind === "artifact") {
    const artifact = await followBest(absolute);
    return { artifacts: [show(artifact)], ...(await locateEvaluations(dirname(artifact), show)) };
  }
  const artifacts = await findFolders(path, "artifact");
  if (artifacts.length === 0) throw new CkptError("ARTIFACT_NOT_FOUND", { path });
  return { artifacts, ...(await locateEvaluations(absolute, show)) };
}

/** An artifact's id is its folder's name, so a link to it is followed first. */
async function followBest(path: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  return target === undefined ? path : resolve(dirname(path), target);
}

/** Beside `artifacts/` in a run; inside the folder of the artifacts elsewhere. */
async function locateEvaluations(
  folder: string,
  show: (path: string) => string,
): Promise<Pick<ArtifactTarget, "evaluations" | "run">> {
  const run = dirname(folder);
  return basename(folder) === runLayout.artifacts && (await identifyFolder(run)) === "run"
    ? { evaluations: show(join(run, runLayout.evaluations)), run: show(run) }
    : { evaluations: show(join(folder, runLayout.evaluations)) };
}

function relateToHere(path: string): string {
  return relative(process.cwd(), path) || ".";
}
