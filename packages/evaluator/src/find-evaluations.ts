import { join } from "node:path";

import {
  CkptError,
  type ErrorDetails,
  type EvaluationManifest,
  evaluationManifestType,
  isCkptError,
  manifestNames,
  nodeFileSystem,
  type RaceManifest,
  readDocument,
  type Sealed,
} from "@ckpt/manifest";

import { type EngineName, engineNames } from "./engine.js";
import { describeEntry, findCandidate, listDrops } from "./race/race-entry.js";
import { readRaces } from "./race/stored-races.js";
import { type Artifact, readArtifact } from "./read-artifact.js";

/** Which stored predictions count. */
export interface EvaluationChoice {
  /** The folder that evaluations are kept in. */
  readonly evaluations: string;
  /** Name, role or digest of the split. */
  readonly split: string;
  /** Only predictions of this engine. Default: of several, onnxruntime-node, then tfjs, then tfjs-node. */
  readonly engine?: EngineName;
  /** The scored output. Default: each artifact's first. */
  readonly output?: string;
}

/** A committed evaluation in its folder. */
export interface StoredEvaluation {
  readonly path: string;
  readonly manifest: Sealed<EvaluationManifest>;
}

/** What is stored of artifacts on the same rows. */
export interface FoundEvaluations {
  /** In the order of the artifacts; nothing of one that a race may have dropped. */
  readonly stored: readonly (StoredEvaluation | undefined)[];
  /** Races on these rows. */
  readonly races: readonly Sealed<RaceManifest>[];
}

/**
 * Chooses one evaluation of each artifact, all on the same rows.
 *
 * @param mayBeDropped - Whether artifacts may lack predictions that a race dropped.
 * @throws {CkptError} EVALUATION_NOT_FOUND naming the first artifact without predictions on the split; INVALID_OPTION
 *   when the split is stored in more than one version.
 */
export async function findEvaluations(
  artifacts: readonly Artifact[],
  choice: EvaluationChoice,
  mayBeDropped = false,
): Promise<FoundEvaluations> {
  const listed = await Promise.all(artifacts.map((artifact) => listEvaluations(artifact, choice)));
  const races = (await readRaces(choice.evaluations)).filter(({ split }) => isChosen(split, choice));
  const digests = artifacts.map((artifact, index) => [
    ...(listed[index] ?? []).map(({ manifest }) => manifest.split.digest),
    ...(mayBeDropped ? listDrops(artifact, choice, races) : []).map(({ split }) => split.digest),
  ]);
  const split = chooseSplit(artifacts, digests, choice, races);
  const stored = listed.map((found, index) => {
    const [chosen] = found.filter(({ manifest }) => manifest.split.digest === split).toSorted(compareEvaluations);
    const artifact = artifacts[index];
    if (artifact === undefined) throw new TypeError("an artifact each");
    if (chosen === undefined && digests[index]?.includes(split) !== true) throw notFound(artifact, choice, races);
    return chosen;
  });
  return { stored, races: races.filter((race) => race.split.digest === split) };
}

function isChosen({ name, role, digest }: EvaluationManifest["split"], { split }: EvaluationChoice): boolean {
  return [name, role, digest].includes(split);
}

/**
 * Finds the stored evaluation of an artifact.
 *
 * @param artifact - Its folder.
 * @throws {CkptError} ARTIFACT_NOT_FOUND, and what {@link findEvaluations} throws.
 */
export async function findEvaluation(artifact: string, choice: EvaluationChoice): Promise<StoredEvaluation> {
  const [found] = (await findEvaluations([await readArtifact(artifact)], choice)).stored;
  if (found === undefined) throw new TypeError("an evaluation of the artifact");
  return found;
}

/** All evaluations of this very artifact that the choice allows. */
async function listEvaluations(artifact: Artifact, choice: EvaluationChoice): Promise<readonly StoredEvaluation[]> {
  const { evaluations, engine, output = artifact.manifest.signature.outputs[0]?.name } = choice;
  const names = (await nodeFileSystem.list(evaluations)).filter((name) => name.startsWith(`${artifact.id}.`));
  const found: StoredEvaluation[] = [];
  for (const name of names) {
    const path = join(evaluations, name);
    const manifest = await readCommitted(path);
    if (
      manifest?.artifact.digest === artifact.manifest.digest &&
      isChosen(manifest.split, choice) &&
      manifest.output.name === output &&
      (engine === undefined || manifest.engine.name === engine)
    ) {
      found.push({ path, manifest });
    }
  }
  return found;
}

/** The manifest of a committed evaluation, without a look at its files; `undefined` when there is none. */
export async function readCommitted(path: string): Promise<Sealed<EvaluationManifest> | undefined> {
  try {
    return await readDocument(evaluationManifestType, join(path, manifestNames.evaluation));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return undefined;
    throw error;
  }
}

/** The digest of the split that all artifacts were run on: candidates are compared on the same rows only. */
function chooseSplit(
  artifacts: readonly Artifact[],
  digests: readonly (readonly string[])[],
  choice: EvaluationChoice,
  races: readonly Sealed<RaceManifest>[],
): string {
  const counts = new Map<string, number>();
  for (const own of digests) {
    for (const digest of new Set(own)) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  const complete = [...counts].filter(([, count]) => count === artifacts.length).map(([digest]) => digest);
  const [digest] = complete;
  if (digest === undefined) {
    // The artifact to name is one that lacks the version of the split that most of them have.
    const common = [...counts].toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))[0]?.[0];
    const index = digests.findIndex((own) => common === undefined || !own.includes(common));
    const missing = artifacts[index];
    if (missing === undefined) throw new TypeError("no artifact lacks the split");
    throw notFound(missing, choice, races);
  }
  if (complete.length > 1) {
    throw new CkptError("INVALID_OPTION", {
      option: "split",
      expected: `one of the digests ${complete.toSorted().join(", ")}, since there are predictions on each`,
      found: choice.split,
    });
  }
  return digest;
}

/** Engines in their order of preference, then the newer version, then the folder's name: always the same choice. */
function compareEvaluations(a: StoredEvaluation, b: StoredEvaluation): number {
  return (
    preferenceOf(a) - preferenceOf(b) ||
    b.manifest.engine.version.localeCompare(a.manifest.engine.version, "en", { numeric: true }) ||
    (a.path < b.path ? -1 : 1)
  );
}

function preferenceOf({ manifest }: StoredEvaluation): number {
  const index = engineNames.findIndex((name) => name === manifest.engine.name);
  return index === -1 ? engineNames.length : index;
}

/** @param races - On the split; one that dropped the artifact is named. */
export function notFound(
  artifact: Artifact,
  choice: EvaluationChoice,
  races: readonly Sealed<RaceManifest>[],
): CkptError {
  const { split, evaluations, engine, output } = choice;
  const details = [engine === undefined ? "" : ` by ${engine}`, output === undefined ? "" : ` of output ${output}`];
  return new CkptError("EVALUATION_NOT_FOUND", {
    path: artifact.path,
    expected: `some on split ${split}${details.join("")} in ${evaluations}`,
    ...describeDrop(artifact, choice, races),
  });
}

function describeDrop(
  artifact: Artifact,
  choice: EvaluationChoice,
  races: readonly Sealed<RaceManifest>[],
): Pick<ErrorDetails["EVALUATION_NOT_FOUND"], "race"> {
  const [race] = listDrops(artifact, choice, races);
  const candidate = findCandidate(race?.candidates ?? [], describeEntry(artifact, choice, false));
  if (race === undefined || candidate === undefined) return {};
  return { race: { metric: race.metric.name, rowsSeen: candidate.rowsSeen, rowCount: race.split.rowCount } };
}
