import { readFile } from "node:fs/promises";

import {
  CkptError,
  type HistoryRecord,
  parseHistory,
  parseLine,
  restoreMetrics,
  runLayout,
  type TimingRecord,
  timingRecordSchema,
} from "@ckpt/manifest";

import type { Measurement } from "./moment.js";

/**
 * Cuts a history to what had been measured when a checkpoint was saved. What comes after it, a last line that was cut
 * short included, was made by training that is about to be repeated.
 *
 * @param count - Lines there were at the checkpoint.
 * @throws {CkptError} MANIFEST_INVALID when there are fewer, or one of them is damaged.
 */
export function truncateHistory(
  text: string,
  count: number,
  path: string,
): { readonly text: string; readonly measurements: readonly Measurement[] } {
  const lines = text.split("\n").slice(0, -1).slice(0, count);
  const kept = lines.map((line) => `${line}\n`).join("");
  const records = parseHistory(kept, path);
  if (records.length < count) {
    const message = `${records.length} measurements, but the checkpoint was saved after ${count}`;
    throw new CkptError("MANIFEST_INVALID", { path, issues: [{ path: "", message }] });
  }
  return { text: kept, measurements: records.map(toMeasurement) };
}

/** Removes a last line that was cut short: a process died while it was appended. */
export function dropTornLine(text: string): string {
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

/**
 * Reads from the lines of `timings.jsonl` how long the run had been trained when each step was saved. What cannot be read
 * is left out: nothing but the choice of what to keep depends on it.
 */
export function parseTrainedTimes(text: string): ReadonlyMap<number, { readonly trainedSeconds: number }> {
  const times = new Map<number, { readonly trainedSeconds: number }>();
  for (const line of text.split("\n")) {
    const record = line.includes('"trainedMs"') ? parseTiming(line) : undefined;
    const step = /^step (\d+)$/.exec(record?.subject ?? "")?.[1];
    if (step !== undefined && record?.trainedMs !== undefined) {
      times.set(Number(step), { trainedSeconds: record.trainedMs / 1000 });
    }
  }
  return times;
}

function parseTiming(line: string): TimingRecord | undefined {
  try {
    return parseLine(timingRecordSchema, line, runLayout.timings);
  } catch {
    return undefined;
  }
}

/** Reads a text file; one that is not there is empty. */
export async function readTextIfAny(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    throw new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
}

function toMeasurement({ step, epoch, metrics }: HistoryRecord): Measurement {
  return { step, epoch, metrics: restoreMetrics(metrics) };
}
