import type { Json } from "@ckpt/manifest";

import type { Monitor } from "./metric-mode.js";
import type { Moment } from "./moment.js";

/**
 * Decides whether training ends before its time. A pure value: what it remembers is JSON that it is handed and that it
 * returns, so that the memory is stored in each checkpoint and a resumed run stops where an uninterrupted one would.
 */
export interface StopPolicy {
  /** In words, with everything that decides. */
  readonly description: string;
  /** The metrics the policy cannot do without. */
  readonly monitors: readonly Monitor[];
  readonly initialState: Json;
  /** The state after `moment`, and in words why training stops there, if it does. */
  advance(moment: Moment, state: Json): StopDecision;
  /** The metric by which the best saved checkpoint's weights are put back at the end. */
  readonly restoreBest?: Monitor;
}

/** What a stop policy says about one moment. */
export interface StopDecision {
  readonly state: Json;
  /** Why training stops here; absent where it goes on. */
  readonly stop?: string;
}
