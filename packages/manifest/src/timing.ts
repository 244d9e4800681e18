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
  /** Of a save, which goes on in the background: how long training stood still for it. */
  readonly blockedMs?: number;
  /** Of a save: how long the run had been trained by then, in all its processes. */
  readonly trainedMs?: number;
}

/** Accepts the content of one line of `timings.jsonl`, without its digest. */
export const timingRecordSchema: z.ZodType<TimingRecord> = z.object({
  stage: z.enum(["train", "freeze", "evaluate", "rank"]),
  action: z.string(),
  subject: z.string(),
  at: z.string(),
  durationMs: z.number().nonnegative(),
  blockedMs: z.number().nonnegative().exactOptional(),
  trainedMs: z.number().nonnegative().exactOptional(),
});

/** One line, sealed, with its line feed. */
export function serializeTimingRecord(record: TimingRecord): string {
  return serializeLine(record);
}
