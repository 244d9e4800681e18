import type { RacedCandidate, RaceManifest, Sealed } from "@ckpt/manifest";

import type { EngineName } from "../engine.js";
import type { Artifact } from "../read-artifact.js";

/** An artifact that a race may have had. */
export interface RaceEntry {
  /** The artifact's. */
  readonly digest: string;
  /** Whether its predictions on all rows are there. */
  readonly isStored: boolean;
  /** Whether this is how it was run in the race. */
  matches(candidate: RacedCandidate): boolean;
}

/** Which runs of an artifact count. */
export interface RunChoice {
  /** Default: any. */
  readonly engine?: EngineName;
  /** The scored output. Default: the artifact's first. */
  readonly output?: string;
}

/** An artifact as a race may have had it, in a run that the choice allows. */
export function describeEntry(artifact: Artifact, { engine, output }: RunChoice, isStored: boolean): RaceEntry {
  const wanted = output ?? artifact.manifest.signature.outputs[0]?.name;
  return {
    digest: artifact.manifest.digest,
    isStored,
    matches: (candidate) => candidate.output === wanted && (engine === undefined || candidate.engine.name === engine),
  };
}

/** What became of an artifact in a race that had it. */
export function findCandidate(candidates: readonly RacedCandidate[], entry: RaceEntry): RacedCandidate | undefined {
  return candidates.find((candidate) => candidate.artifact.digest === entry.digest && entry.matches(candidate));
}

/** The races that dropped an artifact. */
export function listDrops(
  artifact: Artifact,
  choice: RunChoice,
  races: readonly Sealed<RaceManifest>[],
): readonly Sealed<RaceManifest>[] {
  const entry = describeEntry(artifact, choice, false);
  return races.filter(({ candidates }) => findCandidate(candidates, entry)?.isDropped === true);
}
