/** Where times come from. They are written to `timings.jsonl` only. */
export interface Clock {
  wallTime(): Date;
  /** Never goes back; its zero means nothing. */
  monotonicMs(): number;
}

/** The clocks of this machine. */
export const systemClock: Clock = { wallTime: () => new Date(), monotonicMs: () => performance.now() };
