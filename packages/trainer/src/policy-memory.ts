import type { Json } from "@ckpt/manifest";

import type { Measurement, Moment } from "./moment.js";
import type { SavePolicy } from "./save-policy.js";

/** What a save policy remembers while saves that it was told of may still be lost. */
export interface PolicyMemory {
  readonly state: Json;
  /** Whether the policy saves at a moment that it was not told of yet. */
  shouldSave(moment: Moment): boolean;
  /** The state there would be after a moment at which a checkpoint is saved. */
  stateIfSaved(moment: Moment): Json;
  /** Tells the policy of a moment; a save is taken to succeed until {@link PolicyMemory.settle} says otherwise. */
  advance(moment: Moment, isSaved: boolean): void;
  /** Says what became of the save at `step`: after a lost one the state is what it would be had it never been made. */
  settle(step: number, isOnDisk: boolean): void;
}

interface Entry {
  readonly moment: Moment;
  readonly historyCount: number;
  readonly isSaved: boolean;
  readonly isSettled: boolean;
  /** The state after it. */
  readonly after: Json;
}

/** Makes the memory of a policy. It keeps the moments since the oldest save that is not settled. */
export function createPolicyMemory(policy: SavePolicy, initialState: Json): PolicyMemory {
  let base = initialState;
  let entries: readonly Entry[] = [];
  const read = (): Json => entries.at(-1)?.after ?? base;

  const lose = (lost: Entry): void => {
    let state = base;
    let isBefore = true;
    entries = entries.map((entry) => {
      if (entry === lost) isBefore = false;
      const isSaved = entry.isSaved && entry !== lost;
      state = isBefore ? entry.after : policy.advance(restoreMoment(entry), isSaved, state);
      return { ...entry, isSaved, isSettled: entry.isSettled || entry === lost, after: state };
    });
  };
  return {
    get state() {
      return read();
    },
    shouldSave: (moment) => policy.shouldSave(moment, read()),
    stateIfSaved: (moment) => policy.advance(moment, true, read()),
    advance: (moment, isSaved) => {
      const after = policy.advance(moment, isSaved, read());
      const entry = { moment, historyCount: moment.history.length, isSaved, isSettled: !isSaved, after };
      if (isSaved || entries.length > 0) entries = [...entries, entry];
      else base = after;
    },
    settle: (step, isOnDisk) => {
      const settled = entries.find((entry) => entry.moment.step === step && !entry.isSettled);
      if (settled === undefined) return;
      if (isOnDisk) entries = entries.map((entry) => (entry === settled ? { ...entry, isSettled: true } : entry));
      else lose(settled);
      const open = entries.findIndex(({ isSettled }) => !isSettled);
      const done = open === -1 ? entries : entries.slice(0, open);
      base = done.at(-1)?.after ?? base;
      entries = entries.slice(done.length);
    },
  };
}

/** The history of a moment grows after it. */
function restoreMoment({ moment, historyCount }: Entry): Moment {
  const history: readonly Measurement[] = moment.history.slice(0, historyCount);
  return { ...moment, history };
}
