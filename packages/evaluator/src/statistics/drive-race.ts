import { CkptError } from "@ckpt/manifest";

import {
  findLeader,
  isLeaderCloseEnough,
  listRunning,
  type Race,
  type RaceOptions,
  startRace,
  updateRace,
} from "./race.js";

/** A race and where its rows come from. */
export interface DriveRaceOptions extends RaceOptions {
  /** Rows seen whenever it is looked who has lost, ascending; part of what is decided. It ends at the last one. */
  readonly looks: readonly number[];
  /**
   * Gives the losses of the next rows, in the race's order, for each of the candidates asked for. How many workers make
   * them, and which of these is first, makes no difference.
   */
  nextBlock(firstRow: number, rowCount: number, candidates: readonly number[]): Promise<readonly Float64Array[]>;
  /** Told after every block. */
  onBlock?(race: Race): void;
}

/** How a race ended. */
export interface RaceResult {
  /** Those to be ranked on all rows. */
  readonly survivors: readonly number[];
  /** In the order they were dropped. */
  readonly dropped: readonly { readonly candidate: number; readonly rowsSeen: number; readonly hasFailed: boolean }[];
  /** Lowest loss so far of the survivors; absent when all failed. */
  readonly leader?: number;
  readonly endedBy: "one left" | "last look" | "leader close enough";
  /** Rows that losses were asked for, over all candidates; a full evaluation has candidates times rows. */
  readonly rowsScored: number;
}

/**
 * Races candidates block by block until one is left, the looks are at an end, or the leader is close enough to the best.
 *
 * @throws {CkptError} INVALID_OPTION, and what `nextBlock` throws.
 */
export async function driveRace(options: DriveRaceOptions): Promise<RaceResult> {
  const race = startRace(options);
  checkLooks(options);
  const dropped: number[] = [];
  let rowsScored = 0;
  let isCloseEnough = false;
  for (const look of options.looks) {
    const running = listRunning(race);
    if (running.length <= 1 || isCloseEnough) break;
    const rowCount = look - race.rowsSeen;
    const found = await options.nextBlock(race.rowsSeen, rowCount, running);
    const losses = Array.from({ length: options.candidateCount }, (): Float64Array | undefined => undefined);
    for (const [index, candidate] of running.entries()) {
      const rows = found[index]?.length ?? 0;
      if (rows !== rowCount) {
        const expected = `${rowCount} losses of candidate ${candidate}`;
        throw new CkptError("INVALID_OPTION", { option: "nextBlock", expected, found: String(rows) });
      }
      losses[candidate] = found[index];
    }
    dropped.push(...updateRace(race, losses));
    rowsScored += rowCount * running.length;
    isCloseEnough = isLeaderCloseEnough(race);
    options.onBlock?.(race);
  }
  const survivors = listRunning(race);
  const leader = findLeader(race);
  return {
    survivors,
    dropped: dropped.map((candidate) => ({
      candidate,
      rowsSeen: race.droppedAt[candidate] ?? 0,
      hasFailed: race.hasFailed[candidate] === 1,
    })),
    ...(leader === undefined ? {} : { leader }),
    endedBy: survivors.length <= 1 ? "one left" : isCloseEnough ? "leader close enough" : "last look",
    rowsScored,
  };
}

function checkLooks({ looks, rowCount }: DriveRaceOptions): void {
  const isSound = looks.every((look, index) => look > (looks[index - 1] ?? 0) && look <= rowCount);
  if (isSound) return;
  const expected = `ascending counts of rows, up to ${rowCount}`;
  throw new CkptError("INVALID_OPTION", { option: "looks", expected, found: looks.join(", ") });
}
