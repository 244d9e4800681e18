import { z } from "zod";

import { parseLine, type Sealed, serializeLine } from "./document.js";
import { CkptError } from "./errors.js";
import { type StoredMetrics, storedMetricsSchema } from "./metric.js";
import { readText } from "./read-text.js";

/** One measurement of a run: a line of `history.jsonl`. It carries no clock, so equal runs have equal histories. */
export interface HistoryRecord {
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  readonly metrics: StoredMetrics;
}

/** Accepts the content of one line of `history.jsonl`, without its digest. */
export const historyRecordSchema: z.ZodType<HistoryRecord> = z.object({
  step: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
  metrics: storedMetricsSchema,
});

/** One line, sealed, with its line feed. */
export function serializeHistoryRecord(record: HistoryRecord): string {
  return serializeLine(record);
}

/**
 * Reads a whole history; every line is checked against its own digest and steps must grow.
 *
 * @throws {CkptError} MANIFEST_INVALID naming the line.
 */
export function parseHistory(text: string, path: string): readonly Sealed<HistoryRecord>[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw invalid(path, lines.length + 1, "the last line has no line feed: it was cut short");
  const records = lines.map((line, index) => parseLine(historyRecordSchema, line, `${path}:${index + 1}`));
  for (const [index, { step }] of records.entries()) {
    if (step <= (records[index - 1]?.step ?? -1)) {
      throw invalid(path, index + 1, `step ${step} does not follow the line before`);
    }
  }
  return records;
}

/**
 * Reads and checks a history file.
 *
 * @throws {CkptError} FILE_MISSING when there is no such file, FILE_SYSTEM when it cannot be read, and what
 *   {@link parseHistory} throws.
 */
export async function readHistory(path: string): Promise<readonly Sealed<HistoryRecord>[]> {
  const text = await readText(path);
  if (text === undefined) throw new CkptError("FILE_MISSING", { path });
  return parseHistory(text, path);
}

function invalid(path: string, line: number, message: string): CkptError<"MANIFEST_INVALID"> {
  return new CkptError("MANIFEST_INVALID", { path, issues: [{ path: `line ${line}`, message }] });
}
