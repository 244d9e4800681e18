import { type RaceManifest, raceManifestType, type Split } from "@ckpt/manifest";

import type { PreparedEvaluation } from "../prepare-evaluation.js";
import { driveRace } from "../statistics/drive-race.js";
import { orderRows } from "../statistics/race-order.js";
import { listRunning } from "../statistics/race.js";
import { readRunningInterval, startRunningInterval, updateRunningInterval } from "../statistics/running-interval.js";
import { listLooks } from "./race-looks.js";
import { createRaceScorer, type RaceScorer, type RaceScorerOptions } from "./race-scorer.js";
import { type BoundedMetric, estimateFromShares } from "./row-losses.js";

/** How far a race is; reported after every look. */
export interface RaceProgress {
  readonly candidateCount: number;
  /** Candidates that are still in the race. */
  readonly runningCount: number;
  readonly rowsSeen: number;
  /** Rows of the last look, at which the race ends. */
  readonly rowsTotal: number;
}

/** What a race is run on, and who is told of it. */
export interface RunRaceOptions extends Omit<RaceScorerOptions, "artifacts"> {
  readonly onProgress?: (progress: RaceProgress) => void;
}

const delta = 0.05;
/** Of a wide range, such as that of log loss, the rows use but a part: smaller bets find what they differ by. */
const [betCount, wideBetCount, wideLossBound] = [6, 9, 2];

/**
 * Races artifacts. One that cannot be scored is left out, and those it may have helped to drop race again without it:
 * nobody is dropped for what is no candidate. What comes of it depends on the predictions alone, and not on the order of
 * the artifacts.
 *
 * @returns Nothing when less than two can be scored.
 * @throws What `split.gather` and `onProgress` throw.
 */
export async function runRace(
  artifacts: readonly PreparedEvaluation[],
  options: RunRaceOptions,
): Promise<RaceManifest | undefined> {
  let sound = artifacts.toSorted(
    ({ artifact: a }, { artifact: b }) => compareText(a.manifest.digest, b.manifest.digest) || compareText(a.id, b.id),
  );
  while (sound.length > 1) {
    const scorer = createRaceScorer({ ...options, artifacts: sound });
    try {
      return await attemptRace(sound, scorer, options);
    } catch (error) {
      if (!(error instanceof CandidatesFailed)) throw error;
      sound = sound.filter((_, candidate) => !error.candidates.includes(candidate));
    } finally {
      await scorer.close();
    }
  }
  return undefined;
}

async function attemptRace(
  artifacts: readonly PreparedEvaluation[],
  scorer: RaceScorer,
  { split, metric, onProgress }: RunRaceOptions,
): Promise<RaceManifest> {
  const { rowCount } = split;
  const order = orderRows(rowCount, split.digest);
  const looks = listLooks(rowCount);
  const candidateCount = artifacts.length;
  const intervals = artifacts.map(() => startRunningInterval(rowCount, delta / candidateCount));
  const { dropped } = await driveRace({
    candidateCount,
    rowCount,
    lossBound: metric.lossBound,
    delta,
    betCount: metric.lossBound > wideLossBound ? wideBetCount : betCount,
    looks,
    nextBlock: async (first, count, candidates) => {
      const found = await scorer.score(order.subarray(first, first + count), candidates);
      const losses = found.filter((own) => own !== undefined);
      if (losses.length < candidates.length) {
        throw new CandidatesFailed(candidates.filter((_, index) => found[index] === undefined));
      }
      for (const [index, candidate] of candidates.entries()) {
        const interval = intervals[candidate];
        const shares = losses[index]?.map((loss) => loss / metric.lossBound);
        if (interval !== undefined && shares !== undefined) updateRunningInterval(interval, shares);
      }
      return losses;
    },
    onBlock: (race) =>
      onProgress?.({
        candidateCount,
        runningCount: listRunning(race).length,
        rowsSeen: race.rowsSeen,
        rowsTotal: looks.at(-1) ?? 0,
      }),
  });
  const losers = new Set(dropped.map(({ candidate }) => candidate));
  const lastSeen = Math.max(...intervals.map(({ rowsSeen }) => rowsSeen));
  return {
    kind: raceManifestType.kind,
    schemaVersion: raceManifestType.schemaVersion,
    split: describeSplit(split),
    metric: { name: metric.name, mode: metric.mode },
    delta,
    looks: looks.filter((rows) => rows <= lastSeen),
    candidates: artifacts.map(({ subject, output }, candidate) => ({
      artifact: subject.artifact,
      engine: subject.engine,
      output: output.name,
      isDropped: losers.has(candidate),
      ...describeInterval(metric, intervals[candidate]),
    })),
  };
}

/** Candidates that could not be scored. */
class CandidatesFailed extends Error {
  readonly candidates: readonly number[];

  constructor(candidates: readonly number[]) {
    super(`${candidates.length} candidates could not be scored`);
    this.candidates = candidates;
  }
}

function describeSplit({ name, role, rowCount, digest }: Split): RaceManifest["split"] {
  return { name, role, rowCount, digest };
}

function describeInterval(
  metric: BoundedMetric,
  interval: ReturnType<typeof startRunningInterval> | undefined,
): Pick<RaceManifest["candidates"][number], "rowsSeen" | "metric"> {
  if (interval === undefined) throw new TypeError("an interval for each candidate");
  const { sum, rowsSeen } = interval;
  return { rowsSeen, metric: estimateFromShares(metric, sum / rowsSeen, readRunningInterval(interval)) };
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
