import { z } from "zod";

import { serializeLine } from "./document.js";

/** How long one piece of a stage's work took: a line of `timings.jsonl`, kept apart from everything that is hashed. */
export interface TimingRecord {
  readonly stage: "train" | "freeze" | "evaluate" | "rank";
  /** What was done: `measure`, `save`, `freeze`, ... */
  readonly action: string;
  /** The step or artifact it was done for. */
  readonly subject: string;
  /** Wall clock at the end, ISO 8601 in UTC. */
  readonly at: string;
  readonly durationMs: number;
}

/** Accepts the content of one line of `timings.jsonl`, without its digest. */
export const timingRecordSchema: z.ZodType<TimingRecord> = z.object({
  stage: z.enum(["train", "freeze", "evaluate", "rank"]),
  action: z.string(),
  subject: z.string(),
  at: z.string(),
  durationMs: z.number().nonnegative(),
});

/** One line, sealed, with its line feed. */
export function serializeTimingRecord(record: TimingRecord): string {
  return serializeLine(record);
}
