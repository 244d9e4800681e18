import { basename, dirname, join, resolve } from "node:path";

import {
  artifactManifestType,
  CkptError,
  findHolders,
  manifestNames,
  readDocument,
  readPromotions,
  runLayout,
} from "@ckpt/manifest";

import { findArtifacts } from "./artifact-target.js";
import { identifyFolder } from "./identify-folder.js";

/** One artifact, where its evaluations are, and its run if it has one. */
export interface SingleArtifact {
  readonly artifact: string;
  readonly evaluations: string;
  readonly run?: string;
}

/**
 * The one artifact that a path means: the pick of a run, or the artifact itself.
 *
 * @throws {CkptError} ARTIFACT_NOT_FOUND, also for a run without a pick; INVALID_OPTION for a folder of several.
 */
export async function findSingleArtifact(path: string): Promise<SingleArtifact> {
  const isRun = (await identifyFolder(path)) === "run";
  const { artifacts, evaluations, run } = await findArtifacts(isRun ? join(path, runLayout.best) : path);
  const [artifact, ...others] = artifacts;
  if (artifact === undefined || others.length > 0) {
    const expected = "a run, or one artifact";
    throw new CkptError("INVALID_OPTION", { option: "target", expected, found: `${artifacts.length} artifacts` });
  }
  return { artifact, evaluations, ...(run === undefined ? {} : { run }) };
}

/**
 * The artifact that has an alias.
 *
 * @param runs - The folder of the runs, which has the log.
 * @throws {CkptError} INVALID_OPTION for an alias that nobody has; ARTIFACT_NOT_FOUND or DIGEST_MISMATCH when the
 *   artifact is gone or is another one by now.
 */
export async function findByAlias(runs: string, alias: string): Promise<SingleArtifact> {
  const holders = findHolders(await readPromotions(runs));
  const holder = holders.get(alias);
  if (holder === undefined) {
    const expected = `an alias given by \`ckpt promote\` in ${runs}: ${[...holders.keys()].join(", ") || "there is none"}`;
    throw new CkptError("INVALID_OPTION", { option: "alias", expected, found: alias });
  }
  const run = join(runs, holder.run);
  const artifact = join(run, runLayout.artifacts, holder.artifact.id);
  if ((await identifyFolder(artifact)) !== "artifact") throw new CkptError("ARTIFACT_NOT_FOUND", { path: artifact });
  const { digest } = await readDocument(artifactManifestType, join(artifact, manifestNames.artifact));
  if (digest !== holder.artifact.digest) {
    throw new CkptError("DIGEST_MISMATCH", { path: artifact, expected: holder.artifact.digest, found: digest });
  }
  return { artifact, evaluations: join(run, runLayout.evaluations), run };
}

/** The folder that holds a run, and the run's name in it. */
export function locateRun(run: string): { readonly runs: string; readonly name: string } {
  return { runs: dirname(resolve(run)), name: basename(resolve(run)) };
}
