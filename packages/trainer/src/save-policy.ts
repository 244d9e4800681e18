import { CkptError, type Json } from "@ckpt/manifest";

import type { Monitor } from "./metric-mode.js";
import { type Moment, type MomentView, viewMoment } from "./moment.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import { requireSteps } from "./require-steps.js";

/**
 * Decides at which steps a checkpoint is saved. A pure value: what it remembers is JSON that it is handed and that it
 * returns, so that the memory is stored in each checkpoint and a resumed run decides as an uninterrupted one would.
 */
export interface SavePolicy {
  /**
   * In words, with everything that decides: written into each checkpoint as the reason it was saved, and part of what a
   * resumed run has to have in common with its beginning.
   */
  readonly description: string;
  /** The metrics the policy cannot do without. */
  readonly monitors: readonly Monitor[];
  readonly initialState: Json;
  shouldSave(moment: Moment, state: Json): boolean;
  /**
   * The state after `moment`; `isSaved` says whether a checkpoint was saved at this very moment, for whatever reason. It
   * is false where the step had been saved before, as it may be at the end.
   */
  advance(moment: Moment, isSaved: boolean, state: Json): Json;
}

/**
 * Saves when `step` is a multiple of `n`.
 *
 * @throws {CkptError} INVALID_OPTION when `n` is not a positive integer.
 */
export function everySteps(n: number): SavePolicy {
  requirePositiveInteger("everySteps", n);
  return createStatelessPolicy(`every ${n} steps`, ({ step }) => step % n === 0);
}

/**
 * Saves at the end of an epoch whose number, counted from 1, is a multiple of `n`.
 *
 * @throws {CkptError} INVALID_OPTION when `n` is not a positive integer.
 */
export function everyEpochs(n: number): SavePolicy {
  requirePositiveInteger("everyEpochs", n);
  return createStatelessPolicy(`every ${n} epochs`, ({ epoch, isEpochEnd }) => isEpochEnd && epoch % n === 0);
}

/**
 * Saves at these steps.
 *
 * @throws {CkptError} INVALID_OPTION when there are none, or one is not a positive integer.
 */
export function atSteps(...steps: readonly number[]): SavePolicy {
  const chosen = requireSteps("atSteps", steps);
  return createStatelessPolicy(`at step ${[...chosen].join(", ")}`, ({ step }) => chosen.has(step));
}

/** Saves at the regular end of training, be it the last update or a stop policy's word. */
export function atEnd(): SavePolicy {
  return createStatelessPolicy("at the end of training", ({ cause }) => cause === "end");
}

/** Saves when an error ended training: the state after the last update that was completed. */
export function onException(): SavePolicy {
  return createStatelessPolicy("on an exception", ({ cause }) => cause === "exception");
}

/** Saves when `predicate` holds. It has to be pure: a resumed run asks it again. */
export function when(predicate: (moment: MomentView) => boolean, description = "when a condition holds"): SavePolicy {
  return createStatelessPolicy(description, (moment) => predicate(viewMoment(moment)));
}

/**
 * Saves when every one of `policies` would.
 *
 * @throws {CkptError} INVALID_OPTION when there are none.
 */
export function allOf(...policies: readonly SavePolicy[]): SavePolicy {
  return combinePolicies("allOf", " and ", policies, (votes) => votes.every(Boolean));
}

/**
 * Saves when at least one of `policies` would.
 *
 * @throws {CkptError} INVALID_OPTION when there are none.
 */
export function anyOf(...policies: readonly SavePolicy[]): SavePolicy {
  return combinePolicies("anyOf", " or ", policies, (votes) => votes.some(Boolean));
}

/** Makes a policy that remembers nothing. */
export function createStatelessPolicy(description: string, shouldSave: (moment: Moment) => boolean): SavePolicy {
  return { description, monitors: [], initialState: null, shouldSave, advance: (_moment, _isSaved, state) => state };
}

function combinePolicies(
  option: string,
  conjunction: string,
  policies: readonly SavePolicy[],
  decide: (votes: readonly boolean[]) => boolean,
): SavePolicy {
  if (policies.length === 0) {
    throw new CkptError("INVALID_OPTION", { option, expected: "at least one policy", found: "none" });
  }
  const descriptions = policies.map(({ description }) => description);
  return {
    description: policies.length === 1 ? (descriptions[0] ?? "") : `(${descriptions.join(conjunction)})`,
    monitors: policies.flatMap(({ monitors }) => monitors),
    initialState: policies.map(({ initialState }) => initialState),
    shouldSave: (moment, state) =>
      decide(policies.map((policy, index) => policy.shouldSave(moment, stateOf(state, index)))),
    advance: (moment, isSaved, state) =>
      policies.map((policy, index) => policy.advance(moment, isSaved, stateOf(state, index))),
  };
}

function stateOf(state: Json, index: number): Json {
  return (state as readonly Json[])[index] ?? null;
}
