import { describe, expect, it } from "vitest";

import { meanOf, shuffleRows, simulateLosses } from "../../test/simulate-candidates.js";
import { driveRace, type RaceResult } from "./drive-race.js";
import { orderRows } from "./race-order.js";
import { findLeader, listRunning, type RaceOptions, startRace, updateRace } from "./race.js";
import { readRunningInterval, startRunningInterval, updateRunningInterval } from "./running-interval.js";

const spread = Array.from({ length: 16 }, (_, index) => 0.95 - 0.02 * index);
const plateau = [...Array.from({ length: 8 }, (_, index) => 0.95 - 0.002 * index), ...spread.slice(8)];

function race(
  losses: readonly Float64Array[],
  { blockRows = 256, ...options }: Partial<RaceOptions> & { readonly blockRows?: number } = {},
): Promise<RaceResult> {
  return driveRace({
    looks: lookEvery(blockRows, losses[0]?.length ?? 0),
    candidateCount: losses.length,
    rowCount: losses[0]?.length ?? 0,
    lossBound: 1,
    ...options,
    nextBlock: (first, count, candidates) =>
      Promise.resolve(
        candidates.map((candidate) => losses[candidate]?.subarray(first, first + count) ?? new Float64Array()),
      ),
  });
}

/** To the last row. */
function lookEvery(blockRows: number, rowCount: number): readonly number[] {
  return Array.from({ length: Math.ceil(rowCount / blockRows) }, (_, block) =>
    Math.min((block + 1) * blockRows, rowCount),
  );
}

/** As long as the first candidate runs; whether it was dropped. */
async function isFirstDropped(losses: readonly Float64Array[], delta: number): Promise<boolean> {
  return (await race(losses, { delta, blockRows: 16 })).dropped.some(({ candidate }) => candidate === 0);
}

/** How often `trial` is true of so many seeds. */
async function rateOf(count: number, trial: (seed: number) => Promise<boolean>): Promise<number> {
  let hits = 0;
  for (let seed = 1; seed <= count; seed++) hits += Number(await trial(seed));
  return hits / count;
}

describe("a race", () => {
  it("has the wealth of the formula", () => {
    const a = [0, 0, 0.3, 0, 1];
    const b = [1, 0, 0.5, 0, 0];
    const state = startRace({ candidateCount: 2, rowCount: 8, lossBound: 2, betCount: 3 });
    updateRace(state, [Float64Array.from(a.slice(0, 2)), Float64Array.from(b.slice(0, 2))]);
    updateRace(state, [Float64Array.from(a.slice(2)), Float64Array.from(b.slice(2))]);
    // Row by row as it stands in the note: scores are 2 less the loss, Y = 1/2 + (s_a - s_b) / 4.
    const scores = a.map((loss, row) => 0.5 + (2 - loss - (2 - (b[row] ?? 0))) / 4);
    for (const [bet, share] of [0.5, 0.25, 0.125].entries()) {
      let wealth = 1;
      for (const [row, score] of scores.entries()) {
        const before = scores.slice(0, row).reduce((sum, value) => sum + value, 0);
        const largest = (4 - before) / (8 - row);
        wealth *= 1 + (share * (score - largest)) / largest;
      }
      expect(state.wealth[1 * 3 + bet]).toBeCloseTo(wealth, 12);
    }
    expect([state.lossSums[0], state.lossSums[1], state.rowsSeen]).toEqual([1.3, 1.5, 5]);
    expect(findLeader(state)).toBe(0);
  });

  it("is sure once what is left cannot turn it", async () => {
    const worse = new Float64Array(40).fill(1);
    const { dropped, survivors } = await race([new Float64Array(40), worse], { delta: 1e-12, blockRows: 1 });
    // After 21 rows of 40 the second cannot be the better one any more.
    expect(dropped).toEqual([{ candidate: 1, rowsSeen: 21, hasFailed: false }]);
    expect(survivors).toEqual([0]);
  });

  it("drops neither of two that are equal on every row", async () => {
    const [losses = new Float64Array()] = simulateLosses([0.9], 500, 1);
    expect(await race([losses, losses.slice()])).toMatchObject({ survivors: [0, 1], endedBy: "last look", leader: 0 });
  });

  it("drops one of two exact ties about as seldom as promised", async () => {
    const [first = new Float64Array(), second = new Float64Array()] = simulateLosses([0.9, 0.9], 600, 2, 0.5);
    // Wins and losses made equal in number, so that both are the best on all rows.
    const onlyFirst = Array.from(first.keys()).filter((row) => first[row] !== second[row]);
    for (const [index, row] of onlyFirst.entries()) [first[row], second[row]] = index % 2 === 0 ? [0, 1] : [1, 0];
    if (onlyFirst.length % 2 === 1) second[onlyFirst.at(-1) ?? 0] = 0;
    expect(meanOf(first)).toBe(meanOf(second));
    const strict = await rateOf(1000, (seed) => isFirstDropped(shuffleRows([first, second], seed), 0.05));
    const loose = await rateOf(1000, (seed) => isFirstDropped(shuffleRows([first, second], seed), 0.2));
    expect(strict).toBeLessThan(0.03);
    // Not for want of trying.
    expect(loose).toBeGreaterThan(0.04);
    expect(loose).toBeLessThan(0.14);
  });

  it("keeps the best of eight near ones", async () => {
    const losses = simulateLosses(
      Array.from({ length: 8 }, (_, index) => 0.9 - 0.004 * index),
      1000,
      3,
    );
    const sums = losses.map(meanOf);
    const best = sums.indexOf(Math.min(...sums));
    const rate = await rateOf(100, async (seed) => {
      const { survivors } = await race(shuffleRows(losses, seed), { delta: 0.2, blockRows: 64 });
      return !survivors.includes(best);
    });
    expect(rate).toBeLessThan(0.05);
  });

  it("finds the winner of a full evaluation on 200 seeds, with a fraction of the work", async () => {
    let work = 0;
    const misses = await rateOf(200, async (seed) => {
      const losses = simulateLosses(spread, 1000, seed);
      const { survivors, rowsScored } = await race(losses, { blockRows: 50 });
      work += rowsScored / (16 * 1000) / 200;
      const means = losses.map(meanOf);
      const winner = means.indexOf(Math.min(...means));
      const again = survivors.toSorted((a, b) => (means[a] ?? 1) - (means[b] ?? 1) || a - b)[0];
      return again !== winner;
    });
    expect(misses).toBe(0);
    expect(work).toBeGreaterThan(0.15);
    expect(work).toBeLessThan(0.35);
  });

  it("may end once the leader is close enough, and the leader is", async () => {
    const epsilon = 0.03;
    let [early, far] = [0, 0];
    for (let seed = 1; seed <= 30; seed++) {
      const losses = simulateLosses(plateau, 2000, seed);
      const { endedBy, leader = -1 } = await race(losses, { epsilon, blockRows: 100 });
      const means = losses.map(meanOf);
      early += Number(endedBy === "leader close enough");
      far += Number((means[leader] ?? 1) > Math.min(...means) + epsilon);
    }
    expect(early).toBeGreaterThan(20);
    expect(far).toBe(0);
  });

  it("drops the same with 1 or 8 workers, whichever of them is first", async () => {
    const losses = simulateLosses(spread, 1000, 7);
    const raceWith = (workerCount: number): Promise<RaceResult> =>
      driveRace({
        candidateCount: losses.length,
        rowCount: 1000,
        lossBound: 1,
        looks: lookEvery(256, 1000),
        nextBlock: async (first, count, candidates) => {
          const found = candidates.map(() => new Float64Array());
          const work = async (worker: number): Promise<void> => {
            for (let index = worker; index < candidates.length; index += workerCount) {
              // Later workers are done earlier.
              for (let wait = worker; wait < workerCount; wait++) await Promise.resolve();
              found[index] = losses[candidates[index] ?? 0]?.slice(first, first + count) ?? new Float64Array();
            }
          };
          await Promise.all(Array.from({ length: workerCount }, (_, worker) => work(worker)));
          return found;
        },
      });
    const one = await raceWith(1);
    expect(await raceWith(8)).toEqual(one);
    expect(one.dropped.length).toBeGreaterThan(5);
  });

  it("goes on from a copy of its state", () => {
    const losses = simulateLosses(spread, 600, 8);
    const whole = startRace({ candidateCount: 16, rowCount: 600, lossBound: 1 });
    let resumed = structuredClone(whole);
    for (let row = 0; row < 600; row += 60) {
      const block = losses.map((own) => own.subarray(row, row + 60));
      expect(updateRace(resumed, block)).toEqual(updateRace(whole, block));
      resumed = structuredClone(resumed);
    }
    expect(resumed).toEqual(whole);
  });

  it("takes out a candidate with a NaN or a loss out of range, and goes on", async () => {
    const losses = simulateLosses([0.9, 0.9, 0.9], 300, 9);
    losses[1]?.fill(NaN, 290);
    losses[2]?.fill(1.5, 40, 41);
    const { survivors, dropped, endedBy } = await race(losses, { blockRows: 30 });
    expect(survivors).toEqual([0]);
    expect(endedBy).toBe("one left");
    expect(dropped).toEqual([
      { candidate: 2, rowsSeen: 30, hasFailed: true },
      { candidate: 1, rowsSeen: 270, hasFailed: true },
    ]);
  });

  it("refuses a block that is too short", async () => {
    const options = { candidateCount: 2, rowCount: 8, lossBound: 1, looks: [4, 8] };
    await expect(
      driveRace({ ...options, nextBlock: () => Promise.resolve([new Float64Array(4), new Float64Array(3)]) }),
    ).rejects.toMatchObject({ code: "INVALID_OPTION", details: { option: "nextBlock", found: "3" } });
  });

  it("refuses looks that do not go up, or beyond the rows", async () => {
    const options = {
      candidateCount: 2,
      rowCount: 8,
      lossBound: 1,
      nextBlock: () => Promise.reject(new Error("no block is asked for")),
    };
    for (const looks of [
      [4, 4],
      [0, 4],
      [4, 9],
    ]) {
      await expect(driveRace({ ...options, looks })).rejects.toMatchObject({
        code: "INVALID_OPTION",
        details: { option: "looks", found: looks.join(", ") },
      });
    }
  });

  it("runs one candidate not at all, and refuses bounds that are none", async () => {
    const [losses = new Float64Array()] = simulateLosses([0.9], 50, 1);
    expect(await race([losses])).toMatchObject({ survivors: [0], rowsScored: 0, leader: 0 });
    for (const options of [{ lossBound: 0 }, { delta: 1 }, { delta: 0 }, { epsilon: 0 }]) {
      expect(() => startRace({ candidateCount: 2, rowCount: 9, lossBound: 1, ...options })).toThrow(/expected/);
    }
    expect(listRunning(startRace({ candidateCount: 3, rowCount: 9, lossBound: 1 }))).toEqual([0, 1, 2]);
  });
});

describe("orderRows", () => {
  it("is a permutation that follows from the digest", () => {
    const order = orderRows(1000, "aa");
    expect(Array.from(order).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, row) => row));
    expect(orderRows(1000, "aa")).toEqual(order);
    expect(orderRows(1000, "ab")).not.toEqual(order);
    expect(meanOf(order.subarray(0, 500))).toBeGreaterThan(450);
    expect(meanOf(order.subarray(0, 500))).toBeLessThan(550);
  });
});

describe("RunningInterval", () => {
  it("holds the mean of all rows at every look, and closes in on it", () => {
    const [losses = new Float64Array()] = simulateLosses([0.9], 1000, 11);
    const mean = meanOf(losses);
    let missed = 0;
    let width = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const [rows = new Float64Array()] = shuffleRows([losses], seed);
      const state = startRunningInterval(1000, 0.1);
      let isMissed = false;
      for (let row = 0; row < 1000; row += 20) {
        updateRunningInterval(state, rows.subarray(row, row + 20));
        const [low, high] = readRunningInterval(state);
        isMissed ||= mean < low || mean > high;
        if (row === 480) width += (high - low) / 200;
      }
      missed += Number(isMissed);
      const [low, high] = readRunningInterval(state);
      expect(high - low).toBeLessThan(0.02);
    }
    expect(missed / 200).toBeLessThan(0.1);
    // Half of the rows; a normal interval at a single look would have 0.031.
    expect(width).toBeGreaterThan(0.03);
    expect(width).toBeLessThan(0.09);
  });
});
