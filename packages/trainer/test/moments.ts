import type { Json, Metrics } from "@ckpt/manifest";

import type { Moment } from "../src/moment.js";
import type { SavePolicy } from "../src/save-policy.js";
import type { StopPolicy } from "../src/stop-policy.js";

/** What a test says about a moment; the rest is ordinary. */
export type Event = Partial<Moment> & Pick<Moment, "step">;

/** Completes an event, four steps an epoch. */
export function createMoment(event: Event): Moment {
  const { step, epoch = Math.floor(step / 4), metrics = {} } = event;
  const history = [{ step, epoch, metrics }];
  return { cause: "update", epoch, isEpochEnd: false, metrics, history, secondsSinceSave: 0, isIdle: true, ...event };
}

/** One measurement of `name` at each step, from 1 on. */
export function measure(name: string, values: readonly number[]): readonly Event[] {
  return values.map((value, index) => ({ step: index + 1, metrics: { [name]: value } satisfies Metrics }));
}

export const losses = (...values: readonly number[]): readonly Event[] => measure("val_loss", values);

const throughJson = (state: Json): Json => JSON.parse(JSON.stringify(state)) as Json;
const asItIs = (state: Json): Json => state;

/** The steps at which a policy saves. Its state goes through JSON at each moment, as in a checkpoint, unless told not to. */
export function savedSteps(
  policy: SavePolicy,
  events: readonly Event[],
  store: (state: Json) => Json = throughJson,
): readonly number[] {
  let state = store(policy.initialState);
  const saved: number[] = [];
  for (const event of events) {
    const moment = createMoment(event);
    const isSaved = policy.shouldSave(moment, state);
    if (isSaved) saved.push(moment.step);
    state = store(policy.advance(moment, isSaved, state));
  }
  return saved;
}

/** The same from one process that never stores its state. */
export const savedStepsInOneGo = (policy: SavePolicy, events: readonly Event[]): readonly number[] =>
  savedSteps(policy, events, asItIs);

/** The step at which a policy first stops, and what it says there. */
export function findStop(
  policy: StopPolicy,
  events: readonly Event[],
  store: (state: Json) => Json = throughJson,
): { readonly step: number; readonly stop: string } | undefined {
  let state = store(policy.initialState);
  for (const event of events) {
    const decision = policy.advance(createMoment(event), state);
    if (decision.stop !== undefined) return { step: event.step, stop: decision.stop };
    state = store(decision.state);
  }
  return undefined;
}

/** The same from one process that never stores its state. */
export const findStopInOneGo = (
  policy: StopPolicy,
  events: readonly Event[],
): { readonly step: number; readonly stop: string } | undefined => findStop(policy, events, asItIs);

/** What an action throws, or returns. */
export function captureError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
