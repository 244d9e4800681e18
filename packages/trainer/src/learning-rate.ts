import { CkptError } from "@ckpt/manifest";

import { requireNumber } from "./require-number.js";
import { requirePositiveInteger } from "./require-positive-integer.js";

/** Where training stands before an update. */
export interface LearningRatePosition {
  /** Optimizer updates completed before the one that the rate is for: 0 at the first. */
  readonly step: number;
  /** Epochs completed before it. */
  readonly epoch: number;
}

/** The learning rate of every update. A pure value: the rate follows from the position alone. */
export type LearningRateSchedule = {
  /** In words, with everything that decides. */
  readonly description: string;
  rateAt(position: LearningRatePosition): number;
};

/** How fast a rate decays, and whether in steps. */
export interface ExponentialDecayOptions {
  readonly initialRate: number;
  /** Updates over which the rate is multiplied by `decayRate`. */
  readonly decaySteps: number;
  readonly decayRate: number;
  /** The rate changes only every `decaySteps` updates. Default: false. */
  readonly isStaircase?: boolean;
}

/**
 * `initialRate * decayRate ^ (step / decaySteps)`, the quotient rounded down if `isStaircase`: Keras' ExponentialDecay.
 *
 * @throws {CkptError} INVALID_OPTION when a rate is not a positive number, or `decaySteps` is not a positive integer.
 */
export function exponentialDecay(options: ExponentialDecayOptions): LearningRateSchedule {
  const { initialRate, decaySteps, decayRate, isStaircase = false } = options;
  requireNumber("initialRate", initialRate, "a positive number", (rate) => rate > 0);
  requirePositiveInteger("decaySteps", decaySteps);
  requireNumber("decayRate", decayRate, "a positive number", (rate) => rate > 0);
  const exponentAt = (step: number): number => (isStaircase ? Math.floor(step / decaySteps) : step / decaySteps);
  return {
    description: `${initialRate} times ${decayRate} every ${decaySteps} steps${isStaircase ? ", in stairs" : ""}`,
    rateAt: ({ step }) => initialRate * decayRate ** exponentAt(step),
  };
}

/** From which rate to which part of it, and in how many updates. */
export interface CosineDecayOptions {
  readonly initialRate: number;
  readonly decaySteps: number;
  /** The part of `initialRate` that the rate ends at; Keras' `alpha`. Default: 0. */
  readonly finalFraction?: number;
}

/**
 * `initialRate * ((1 - finalFraction) * (1 + cos(pi * min(step, decaySteps) / decaySteps)) / 2 + finalFraction)`: Keras'
 * CosineDecay.
 *
 * @throws {CkptError} INVALID_OPTION when `initialRate` is not a positive number, `decaySteps` is not a positive integer,
 *   or `finalFraction` is not from 0 to 1.
 */
export function cosineDecay({ initialRate, decaySteps, finalFraction = 0 }: CosineDecayOptions): LearningRateSchedule {
  requireNumber("initialRate", initialRate, "a positive number", (rate) => rate > 0);
  requirePositiveInteger("decaySteps", decaySteps);
  requireNumber("finalFraction", finalFraction, "a number from 0 to 1", (part) => part >= 0 && part <= 1);
  return {
    description: `${initialRate} along a cosine to ${finalFraction} of it in ${decaySteps} steps`,
    rateAt: ({ step }) => {
      const cosine = (1 + Math.cos((Math.PI * Math.min(step, decaySteps)) / decaySteps)) / 2;
      return initialRate * ((1 - finalFraction) * cosine + finalFraction);
    },
  };
}

/** The rates, and the steps after which the next one holds. */
export interface PiecewiseConstantOptions {
  /** Ascending, each once. */
  readonly boundaries: readonly number[];
  /** One more than there are boundaries. */
  readonly rates: readonly number[];
}

/**
 * `rates[0]` while `step <= boundaries[0]`, then `rates[1]` while `step <= boundaries[1]`, and so on, the last rate after
 * the last boundary: Keras' PiecewiseConstantDecay. So the first rate is the rate of `boundaries[0] + 1` updates.
 *
 * @throws {CkptError} INVALID_OPTION when a boundary is not a positive integer above the one before, or a rate is
 *   negative, or there is not one rate more than boundaries.
 */
export function piecewiseConstant({ boundaries, rates }: PiecewiseConstantOptions): LearningRateSchedule {
  for (const [index, boundary] of boundaries.entries()) {
    requirePositiveInteger("boundaries", boundary);
    const least = boundaries[index - 1] ?? 0;
    requireNumber("boundaries", boundary, `a step after ${least}`, (step) => step > least);
  }
  for (const rate of rates) requireNumber("rates", rate, "numbers of at least 0", (value) => value >= 0);
  const last = rates.at(-1);
  if (last === undefined || rates.length !== boundaries.length + 1) {
    const expected = `${boundaries.length + 1} rates, one more than boundaries`;
    throw new CkptError("INVALID_OPTION", { option: "rates", expected, found: String(rates.length) });
  }
  const pieces = boundaries.map((boundary, index) => ({ boundary, rate: rates[index] ?? last }));
  return {
    description: [...pieces.map(({ boundary, rate }) => `${rate} up to step ${boundary}`), `${last}`].join(", then "),
    rateAt: ({ step }) => pieces.find(({ boundary }) => step <= boundary)?.rate ?? last,
  };
}

/** The rate to begin at. */
export interface LinearWarmUpOptions {
  /** Default: 0, at which the first update leaves the weights as they are. */
  readonly startRate?: number;
}

/**
 * `startRate + (first - startRate) * step / steps` while `step < steps`, `first` being the schedule's rate at step 0; then
 * `schedule` from its own step 0 on: the warm-up of Keras' CosineDecay, for any schedule. Epochs are not shifted.
 *
 * @throws {CkptError} INVALID_OPTION when `steps` is not a positive integer, or `startRate` is negative.
 */
export function linearWarmUp(
  steps: number,
  schedule: LearningRateSchedule,
  { startRate = 0 }: LinearWarmUpOptions = {},
): LearningRateSchedule {
  requirePositiveInteger("linearWarmUp", steps);
  requireNumber("startRate", startRate, "a number of at least 0", (rate) => rate >= 0);
  return {
    description: `from ${startRate} in ${steps} steps to (${schedule.description})`,
    rateAt: ({ step, epoch }) => {
      if (step >= steps) return schedule.rateAt({ step: step - steps, epoch });
      return startRate + ((schedule.rateAt({ step: 0, epoch: 0 }) - startRate) * step) / steps;
    },
  };
}
