import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

import { z } from "zod";

/** The process that holds something on disk, as the file that says so names it. */
export interface ProcessHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in clock ticks since boot: tells it from a later process with the same id. */
  readonly startTicks: string;
}

const holderSchema: z.ZodType<ProcessHolder> = z.object({
  pid: z.int().positive(),
  host: z.string(),
  startTicks: z.string(),
});

/** This process as a holder. */
export async function describeOwnProcess(): Promise<ProcessHolder> {
  return { pid: process.pid, host: hostname(), startTicks: await readStartTicks(process.pid) };
}

/** The text of a holder's file; equal for equal holders. */
export function serializeHolder({ pid, host, startTicks }: ProcessHolder): string {
  return JSON.stringify({ pid, host, startTicks });
}

/** The reverse of {@link serializeHolder}; `undefined` when the text is no holder's record. */
export function parseHolder(text: string): ProcessHolder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Tells whether the process is still there; of another host's processes nothing can be known, so they count as alive. */
export async function isHolderAlive(holder: ProcessHolder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  if (!hasProcess(holder.pid)) return false;
  const startTicks = await readStartTicks(holder.pid);
  return startTicks === "" || startTicks === holder.startTicks;
}

/** Whether this machine has a process with this id, whichever it is. */
export function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Field 22 of `/proc/<pid>/stat` (proc(5)), or `ended` for a zombie: it has died and its parent has not noticed. Empty
 * where there is no such file, and then ids alone decide.
 */
async function readStartTicks(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // The command name, field 2, may hold spaces and parentheses: count from the last `)`.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}
