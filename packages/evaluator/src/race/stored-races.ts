import { join } from "node:path";

import {
  type FileSystem,
  isRaceName,
  nodeFileSystem,
  parseDocument,
  type RaceManifest,
  raceManifestType,
  raceName,
  readDocument,
  replaceFile,
  runLayout,
  type Sealed,
  serializeDocument,
} from "@ckpt/manifest";

import { findCandidate, type RaceEntry } from "./race-entry.js";

/**
 * Writes what a race found, in the folder of the evaluations, under the document's own digest: the same race has the same
 * name.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function writeRace(
  evaluations: string,
  race: RaceManifest,
  fileSystem: FileSystem,
): Promise<Sealed<RaceManifest>> {
  const folder = join(evaluations, runLayout.races);
  const text = serializeDocument(race);
  const sealed = parseDocument(raceManifestType, text, folder);
  const path = join(folder, raceName(race.split.name, sealed.digest));
  await fileSystem.makeFolder(folder);
  await replaceFile(path, text, fileSystem);
  return sealed;
}

/**
 * All races whose documents are in the folder of the evaluations, those of the most candidates first.
 *
 * @throws {CkptError} MANIFEST_INVALID for a damaged one, FILE_SYSTEM.
 */
export async function readRaces(evaluations: string): Promise<readonly Sealed<RaceManifest>[]> {
  const folder = join(evaluations, runLayout.races);
  const names = (await nodeFileSystem.list(folder)).filter(isRaceName);
  const races = await Promise.all(names.map((name) => readDocument(raceManifestType, join(folder, name))));
  return races.toSorted((a, b) => b.candidates.length - a.candidates.length || (a.digest < b.digest ? -1 : 1));
}

/**
 * Of the races that count, the one that knows the most artifacts without predictions; the first of several. A race counts
 * when all that it left are among the artifacts: the best of its candidates is, but for delta, and so none that it dropped
 * is the best of these, whatever came to them since.
 */
export function findRace(
  races: readonly Sealed<RaceManifest>[],
  entries: readonly RaceEntry[],
): Sealed<RaceManifest> | undefined {
  const counting = races.filter(({ candidates }) =>
    candidates.every(
      (candidate) => candidate.isDropped || entries.some(({ digest }) => digest === candidate.artifact.digest),
    ),
  );
  const knownCounts = counting.map((race) => countKnown(race, entries));
  const most = Math.max(1, ...knownCounts);
  return counting.find((_, index) => knownCounts[index] === most);
}

/** Artifacts without predictions of which a race says what became of them. */
export function countKnown({ candidates }: RaceManifest, entries: readonly RaceEntry[]): number {
  return entries.filter((entry) => !entry.isStored && findCandidate(candidates, entry) !== undefined).length;
}
