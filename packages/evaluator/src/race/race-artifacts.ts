import {
  CkptError,
  isCkptError,
  type Lease,
  leaseFolder,
  nodeFileSystem,
  type RaceManifest,
  type Sealed,
} from "@ckpt/manifest";

import { checkCount, type EvaluateOptions } from "../evaluate-artifacts.js";
import { readCommitted } from "../find-evaluations.js";
import { checkSplit, type PreparedEvaluation, prepareEvaluation } from "../prepare-evaluation.js";
import { verifyFormat } from "../read-artifact.js";
import { readScoring } from "../scoring.js";
import { countSessions, countWorkers } from "../worker-count.js";
import { findCandidate, type RaceEntry } from "./race-entry.js";
import { chooseRaceMetric, type RaceMetric, type RaceRequest } from "./race-metric.js";
import { type RaceProgress, runRace } from "./run-race.js";
import { countKnown, findRace, readRaces, writeRace } from "./stored-races.js";

/** What competes on which rows, and what the ranking will be by. */
export interface RaceArtifactsOptions extends RaceRequest, Omit<EvaluateOptions, "batchSize" | "onProgress"> {
  /** The artifacts' folders. */
  readonly artifacts: readonly string[];
  /** Races where it does not pay too, and throws where there can be no race. Default: false. */
  readonly isDemanded?: boolean;
  readonly onProgress?: (progress: RaceProgress) => void;
}

/** Which artifacts are worth being scored on all rows. */
export interface RaceOutcome {
  /** In the order they were given: all but those that the race dropped. */
  readonly artifacts: readonly string[];
  /** Absent when there was none. */
  readonly race?: Sealed<RaceManifest>;
  /** Whether it was run before, and nothing was run now. */
  readonly isReused: boolean;
}

/**
 * With a dense model of 0.24 million parameters on 2 cores, the best of 8 on 5,000 rows was known after 0.20 s in the place
 * of 0.31 s; where 8 are equal, race and ranking took 0.83 s in the place of 0.68 s. On 2,000 rows an eighth of them hardly
 * tells anybody apart: 4 took 0.23 s in the place of 0.24 s.
 */
const leastCandidates = 8;
const leastRows = 5000;

/**
 * Races artifacts for the first place of a ranking, on a part of the rows, and says who is left to be scored on all: pass
 * these to `evaluateArtifacts`, and all to `rankArtifacts`, which lists the others as dropped. The best of all is dropped
 * with a probability of 0.05 at most, whatever the artifacts and the rows are.
 *
 * Only artifacts without stored predictions race. What came of it is stored beside the evaluations and depends neither on
 * the number of threads nor on interruptions. The same artifacts do not race again; a few more are left to be scored, and 8
 * more race with those that were dropped. One that cannot be scored is left for `evaluateArtifacts` to say so. Without
 * `isDemanded` there is a race of 8 artifacts or more, on 5,000 rows or more, by a metric that is a mean of bounded values
 * over rows, without constraints and weights.
 *
 * @throws {CkptError} INVALID_OPTION with the reason when a race is demanded and cannot be, and for options that fit no
 *   artifact; METRIC_NOT_FOUND; MANIFEST_INVALID for a damaged race; FILE_SYSTEM; what the split and `onProgress` throw.
 */
export async function raceArtifacts(options: RaceArtifactsOptions): Promise<RaceOutcome> {
  const { artifacts, split, evaluations, isDemanded = false, fileSystem = nodeFileSystem } = options;
  checkSplit(split);
  checkCount("workers", options.workers);
  const entries = await Promise.all(artifacts.map((artifact) => readEntry(artifact, options)));
  const known = entries.flatMap((entry) => entry ?? []);
  const unstored = known.flatMap((entry) => (entry.isStored ? [] : [entry.prepared]));
  const none = { artifacts, isReused: false };
  if (unstored.length === 0 && !isDemanded) return none;
  const weights = options.weights ?? (await readScoring(evaluations, split)).weights?.values;
  const chosen = await chooseRaceMetric(
    known.map(({ prepared }) => prepared),
    split,
    weights === undefined ? options : { ...options, weights },
  );
  if ("obstacle" in chosen) {
    if (!isDemanded) return none;
    throw new CkptError("INVALID_OPTION", {
      option: "race",
      expected: "a ranking that a race can be run for",
      found: chosen.obstacle,
    });
  }
  if (unstored.length === 0) return none;
  const stored = findRace(
    (await readRaces(evaluations)).filter(
      (race) => race.split.digest === split.digest && race.metric.name === chosen.metric.name,
    ),
    known,
  );
  const newCount = unstored.length - (stored === undefined ? 0 : countKnown(stored, known));
  const pays = newCount >= leastCandidates && split.rowCount >= leastRows;
  const run = pays || (isDemanded && newCount > 1) ? await race(unstored, chosen, options) : undefined;
  const found = run === undefined ? stored : await writeRace(evaluations, run, fileSystem);
  if (found === undefined) return none;
  return {
    artifacts: artifacts.filter((_, index) => {
      const entry = entries[index];
      return entry === undefined || entry.isStored || findCandidate(found.candidates, entry)?.isDropped !== true;
    }),
    race: found,
    isReused: run === undefined,
  };
}

interface PreparedEntry extends RaceEntry {
  readonly prepared: PreparedEvaluation;
}

/** Nothing of an artifact that cannot be prepared: whoever evaluates it says why. */
async function readEntry(
  artifact: string,
  { split, evaluations, engine = "auto", output }: RaceArtifactsOptions,
): Promise<PreparedEntry | undefined> {
  try {
    const request = { artifact, split, evaluations, engine, ...(output === undefined ? {} : { output }) };
    const prepared = await prepareEvaluation(request);
    const { subject } = prepared;
    return {
      prepared,
      digest: subject.artifact.digest,
      isStored: (await readCommitted(prepared.path)) !== undefined,
      matches: (candidate) =>
        candidate.output === prepared.output.name &&
        candidate.artifact.format === subject.artifact.format &&
        candidate.engine.name === subject.engine.name &&
        candidate.engine.version === subject.engine.version,
    };
  } catch (error) {
    if (isCkptError(error)) return undefined;
    throw error;
  }
}

async function race(
  artifacts: readonly PreparedEvaluation[],
  chosen: Exclude<RaceMetric, { readonly obstacle: string }>,
  { split, workers, onProgress }: RaceArtifactsOptions,
): Promise<RaceManifest | undefined> {
  const leases: Lease[] = [];
  /** Leased, since a run that is begun again from nothing deletes its artifacts, and every byte checked. */
  const isSound = async ({ artifact, engine }: PreparedEvaluation): Promise<boolean> => {
    try {
      leases.push(await leaseFolder(artifact.path));
      await verifyFormat(artifact, engine.format);
      return true;
    } catch (error) {
      if (isCkptError(error)) return false;
      throw error;
    }
  };
  try {
    const areSound = await Promise.all(artifacts.map(isSound));
    const sound = artifacts.filter((_, index) => areSound[index]);
    const [first] = sound;
    if (first === undefined) return undefined;
    const sessionCount = await countSessions(first.artifact.path);
    return await runRace(sound, {
      ...chosen,
      split,
      sessionCount,
      threadCount: workers ?? (await countWorkers(first.artifact.path, 1)),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  } finally {
    for (const lease of leases) await lease.release();
  }
}
