import { CkptError } from "@ckpt/manifest";

/** What is raced on, and how sure it has to be. */
export interface RaceOptions {
  readonly candidateCount: number;
  /** Rows that a full evaluation has; the race is for the ranking on all of these. */
  readonly rowCount: number;
  /** Every loss is from 0 to this. */
  readonly lossBound: number;
  /** How likely the best candidate may be dropped, ever. Default: 0.05. */
  readonly delta?: number;
  /** The race may end when the leader is worse than the best by less than this, but for `delta`. Default: no such end. */
  readonly epsilon?: number;
  /** Bets are 1/2 to 2^-count of the stake. More of them find small differences of clipped log loss. Default: 6. */
  readonly betCount?: number;
}

/**
 * A race at some row: plain data, changed in place by {@link updateRace}. Pairs are `[a * candidates + b]` and stand for
 * the bet that a is better than b on all rows.
 */
export interface Race {
  readonly options: Required<Omit<RaceOptions, "epsilon">> & Pick<RaceOptions, "epsilon">;
  rowsSeen: number;
  /** `[candidate]`: the row at which it was dropped; -1 while it runs. */
  readonly droppedAt: Int32Array;
  /** `[candidate]`: 1 when a loss was NaN or out of range. */
  readonly hasFailed: Uint8Array;
  /** `[candidate]`, over the rows it was in the race for. */
  readonly lossSums: Float64Array;
  /** `[pair]`: sum of 1/2 + (loss of b - loss of a) / (2 lossBound). */
  readonly pairSums: Float64Array;
  /** `[pair][bet]`: wealth against "a is no better than b". */
  readonly wealth: Float64Array;
  /** `[pair][bet]`: wealth against "b is better than a by epsilon"; of no length without epsilon. */
  readonly epsilonWealth: Float64Array;
}

/** Rounding of a sum of rows leaves a bound that is 0 a bit beside. */
const rounding = 1e-9;

/**
 * A race at its start.
 *
 * @throws {CkptError} INVALID_OPTION
 */
export function startRace(options: RaceOptions): Race {
  const { candidateCount, rowCount, lossBound, delta = 0.05, betCount = 6, epsilon } = options;
  checkOption("lossBound", lossBound > 0 && Number.isFinite(lossBound), "a number above 0", lossBound);
  checkOption("delta", delta > 0 && delta < 1, "a number between 0 and 1", delta);
  checkOption(
    "candidateCount",
    Number.isInteger(candidateCount) && candidateCount >= 1,
    "a count from 1",
    candidateCount,
  );
  checkOption("epsilon", epsilon === undefined || epsilon > 0, "a number above 0", epsilon ?? 0);
  const pairCount = candidateCount ** 2;
  return {
    options: { candidateCount, rowCount, lossBound, delta, betCount, ...(epsilon === undefined ? {} : { epsilon }) },
    rowsSeen: 0,
    droppedAt: new Int32Array(candidateCount).fill(-1),
    hasFailed: new Uint8Array(candidateCount),
    lossSums: new Float64Array(candidateCount),
    pairSums: new Float64Array(pairCount),
    wealth: new Float64Array(pairCount * betCount).fill(1),
    epsilonWealth: new Float64Array(epsilon === undefined ? 0 : pairCount * betCount).fill(1),
  };
}

function checkOption(option: string, isSound: boolean, expected: string, found: number): void {
  if (!isSound) throw new CkptError("INVALID_OPTION", { option, expected, found: String(found) });
}

/** Candidates that still run. */
export function listRunning({ droppedAt }: Race): readonly number[] {
  return Array.from(droppedAt.keys()).filter((candidate) => droppedAt[candidate] === -1);
}

/**
 * Takes in the next block of rows and drops the candidates that lost, which are returned. A candidate i is dropped when
 * the mean over all others a of the wealth of "a is better than i" is 1 / delta or more. If i is the best, none of these
 * bets wins on average, whatever the order in which rows come at random without replacement, and so by Ville's
 * inequality that happens with a probability of delta at most, at however many blocks one looks. What is dropped
 * depends on the losses and the sizes of the blocks alone.
 *
 * A bet on y = 1/2 + (loss of i - loss of a) / (2 lossBound) in the t-th of N rows multiplies wealth by
 * 1 + f (y - m) / m, where m = (N c - sum of y so far) / (N - t + 1) is the largest mean the null leaves for the rest;
 * c is 1/2, or 1/2 - epsilon / (2 lossBound). The wealth is the mean over f = 1/2, 1/4, ...
 * Reference: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting, arXiv 2010.09686,
 * and Confidence sequences for sampling without replacement, arXiv 2006.04347.
 *
 * @param losses - `[candidate][row]`, of dropped ones nothing. A loss out of range takes its candidate out as failed.
 */
export function updateRace(race: Race, losses: readonly (Float64Array | undefined)[]): readonly number[] {
  const { candidateCount, rowCount, lossBound, epsilon } = race.options;
  const failed = listRunning(race).filter((candidate) => !isInRange(losses[candidate], lossBound));
  for (const candidate of failed) {
    race.hasFailed[candidate] = 1;
    race.droppedAt[candidate] = race.rowsSeen;
  }
  const running = listRunning(race);
  const blockRows = losses[running[0] ?? 0]?.length ?? 0;
  for (const a of running) {
    const lossesOfA = losses[a] ?? new Float64Array();
    race.lossSums[a] = lossesOfA.reduce((sum, loss) => sum + loss, race.lossSums[a] ?? 0);
    for (const b of running) {
      if (a === b) continue;
      const pair = a * candidateCount + b;
      const scores = compareLosses(lossesOfA, losses[b] ?? new Float64Array(), lossBound);
      const bet = { scores, sum: race.pairSums[pair] ?? 0, rowsSeen: race.rowsSeen, rowCount };
      placeBets(race.wealth, pair * race.options.betCount, race.options.betCount, { ...bet, nullMean: 0.5 });
      if (epsilon !== undefined) {
        const nullMean = 0.5 - epsilon / (2 * lossBound);
        placeBets(race.epsilonWealth, pair * race.options.betCount, race.options.betCount, { ...bet, nullMean });
      }
      race.pairSums[pair] = scores.reduce((sum, score) => sum + score, race.pairSums[pair] ?? 0);
    }
  }
  race.rowsSeen += blockRows;
  const dropped = running.filter((candidate) => meanWealthAgainst(race, candidate) >= wantedWealth(race));
  for (const candidate of dropped) race.droppedAt[candidate] = race.rowsSeen;
  return [...failed, ...dropped];
}

/** The one with the lowest loss so far of those that run; of equal ones the first. */
export function findLeader(race: Race): number | undefined {
  const [first, ...others] = listRunning(race);
  return others.reduce(
    (best, candidate) => ((race.lossSums[candidate] ?? 0) < (race.lossSums[best ?? 0] ?? 0) ? candidate : best),
    first,
  );
}

/** Whether the leader is known to be within epsilon of the best: every other that runs has lost a bet against that. */
export function isLeaderCloseEnough(race: Race): boolean {
  const { candidateCount, betCount, delta, epsilon } = race.options;
  const leader = findLeader(race);
  if (epsilon === undefined || leader === undefined) return false;
  return listRunning(race).every(
    (other) =>
      other === leader ||
      meanOfBets(race.epsilonWealth, leader * candidateCount + other, betCount) >= (2 * (candidateCount - 1)) / delta,
  );
}

/** With epsilon there are two ways to be wrong, each with half of delta. */
function wantedWealth({ options: { delta, epsilon } }: Race): number {
  return (epsilon === undefined ? 1 : 2) / delta;
}

function meanWealthAgainst({ options: { candidateCount, betCount }, wealth }: Race, candidate: number): number {
  let sum = 0;
  for (let other = 0; other < candidateCount; other++) {
    if (other !== candidate) sum += meanOfBets(wealth, other * candidateCount + candidate, betCount);
  }
  return candidateCount === 1 ? 0 : sum / (candidateCount - 1);
}

function meanOfBets(wealth: Float64Array, pair: number, betCount: number): number {
  let sum = 0;
  for (let bet = 0; bet < betCount; bet++) sum += wealth[pair * betCount + bet] ?? 0;
  return sum / betCount;
}

function isInRange(losses: Float64Array | undefined, lossBound: number): boolean {
  return losses !== undefined && losses.every((loss) => loss >= 0 && loss <= lossBound);
}

function compareLosses(ofA: Float64Array, ofB: Float64Array, lossBound: number): Float64Array {
  return ofA.map((loss, row) => 0.5 + ((ofB[row] ?? 0) - loss) / (2 * lossBound));
}

interface Bet {
  readonly scores: Float64Array;
  /** Of the scores before these. */
  readonly sum: number;
  readonly rowsSeen: number;
  readonly rowCount: number;
  readonly nullMean: number;
}

function placeBets(wealth: Float64Array, first: number, betCount: number, bet: Bet): void {
  const { scores, rowsSeen, rowCount, nullMean } = bet;
  let { sum } = bet;
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row] ?? 0;
    const largest = (rowCount * nullMean - sum) / (rowCount - rowsSeen - row);
    sum += score;
    if (largest > rounding) {
      const gain = (score - largest) / largest;
      for (let index = 0, share = 0.5; index < betCount; index++, share /= 2) {
        wealth[first + index] = (wealth[first + index] ?? 0) * (1 + share * gain);
      }
    } else if (largest < -rounding || score > rounding) {
      // What the null leaves is less than nothing: it is impossible.
      wealth.fill(Infinity, first, first + betCount);
      return;
    }
  }
}
