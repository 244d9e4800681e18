import { readFile } from "node:fs/promises";

import { CkptError, type HistoryRecord, parseHistory, restoreMetrics } from "@ckpt/manifest";

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
