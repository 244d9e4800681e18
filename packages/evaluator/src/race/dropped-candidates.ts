import { compareMetric, type RaceManifest, type RankedCandidate, type Sealed } from "@ckpt/manifest";

import type { Candidate } from "../candidate.js";
import { type EvaluationChoice, notFound } from "../find-evaluations.js";
import type { Artifact } from "../read-artifact.js";
import { describeEntry, findCandidate } from "./race-entry.js";
import { findRace } from "./stored-races.js";

/**
 * The race that dropped the artifacts without predictions, if there are any. An artifact that failed may have dropped
 * others, so for them the race does not count.
 *
 * @throws {CkptError} EVALUATION_NOT_FOUND when no race speaks for all of them.
 */
export function chooseRace(
  artifacts: readonly Artifact[],
  candidates: readonly Candidate[],
  races: readonly Sealed<RaceManifest>[],
  metric: string,
  choice: EvaluationChoice,
): Sealed<RaceManifest> | undefined {
  const scored = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const missing = artifacts.filter(({ id }) => !scored.has(id));
  const [first] = missing;
  if (first === undefined) return undefined;
  const sound = artifacts.filter(({ id }) => scored.get(id)?.failure === undefined);
  const race = findRace(
    races.filter(
      ({ metric: { name }, candidates: raced }) =>
        name === metric &&
        missing.every((artifact) => findCandidate(raced, describeEntry(artifact, choice, false))?.isDropped),
    ),
    sound.map((artifact) => describeEntry(artifact, choice, scored.has(artifact.id))),
  );
  if (race === undefined) throw notFound(first, choice, races);
  return race;
}

/** The dropped artifacts as a ranking lists them. Those dropped last come first: they were harder to tell from the best. */
export function listDropped(
  artifacts: readonly Artifact[],
  candidates: readonly Candidate[],
  race: RaceManifest,
  choice: EvaluationChoice,
): readonly RankedCandidate[] {
  return artifacts
    .filter(({ id }) => !candidates.some((candidate) => candidate.id === id))
    .flatMap((artifact) => {
      const raced = findCandidate(race.candidates, describeEntry(artifact, choice, false));
      return raced === undefined ? [] : [{ artifact, raced }];
    })
    .toSorted(
      ({ raced: a, artifact: { id: first } }, { raced: b, artifact: { id: second } }) =>
        b.rowsSeen - a.rowsSeen ||
        compareMetric(a.metric.value, b.metric.value, race.metric.mode) ||
        (first < second ? -1 : 1),
    )
    .map(({ artifact: { id, manifest }, raced: { rowsSeen, metric } }) => ({
      id,
      artifact: { digest: manifest.digest },
      checkpoint: describeCheckpoint(manifest.source),
      metrics: {},
      status: "dropped",
      reason: `by the race at row ${rowsSeen} of ${race.split.rowCount}`,
      dropped: { rowsSeen, metric },
    }));
}

/** The checkpoint that an artifact is of, as a ranking names it. */
export function describeCheckpoint({ digest, step }: Artifact["manifest"]["source"]): RankedCandidate["checkpoint"] {
  return { digest, ...(step === undefined ? {} : { step }) };
}
