import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";

import { describe, expect, it } from "vitest";

import { type FileSystem, lockLapsing, lockRun, nodeFileSystem, sweepLeftovers } from "../src/index.js";
import { caught } from "./caught.js";
import { recordingFileSystem } from "./processes/dying-file-system.js";
import { forEachOfTwo, killNow, useProcesses } from "./run-process.js";
import { useTemporaryFolder } from "./temporary-folder.js";

const makeFolder = useTemporaryFolder();
const processes = useProcesses();

const hasProc = existsSync("/proc/self/stat");

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startTicks: string;
}

function readHolder(run: string): Holder {
  return JSON.parse(readFileSync(join(run, ".lock"), "utf8")) as Holder;
}

function writeHolder(run: string, holder: Partial<Holder>): void {
  const whole = { pid: process.pid, host: hostname(), startTicks: "1", ...holder };
  writeFileSync(join(run, ".lock"), JSON.stringify(whole));
}

/** A holder that is gone: a process that was killed while it had the lock of `run`. */
async function leaveDeadHolder(run: string): Promise<Holder> {
  const { child, line } = await processes.start("hold-lock", [run]);
  expect(line).toBe("locked");
  await killNow(child);
  return readHolder(run);
}

describe("lockRun", { timeout: 120_000 }, () => {
  it("makes the run's folder, names this process in the lock, and leaves nothing once released", async () => {
    const run = join(makeFolder(), "runs", "a");
    const lock = await lockRun(run);
    expect(readdirSync(run)).toEqual([".lock"]);
    expect(readHolder(run)).toMatchObject({ pid: process.pid, host: hostname() });
    await lock.release();
    expect(readdirSync(run)).toEqual([]);
    await (await lockRun(run)).release();
  });

  it("refuses a second lock in the same process", async () => {
    const run = makeFolder();
    await lockRun(run);
    const error = await caught("RUN_LOCKED", () => lockRun(run));
    expect(error.details).toEqual({ path: run, pid: process.pid, host: hostname() });
    expect(readdirSync(run)).toEqual([".lock"]);
  });

  it("refuses while another process holds it, and takes it over once that was killed", async () => {
    const run = makeFolder();
    const { child, line } = await processes.start("hold-lock", [run]);
    expect(line).toBe("locked");
    const error = await caught("RUN_LOCKED", () => lockRun(run));
    expect(error.details.pid).toBe(child.pid);
    await killNow(child);
    await lockRun(run);
    expect(readHolder(run).pid).toBe(process.pid);
    expect((await processes.run("hold-lock", [run])).output).toBe(`RUN_LOCKED by ${process.pid}`);
    expect(readdirSync(run)).toEqual([".lock"]);
  });

  it("never takes over the lock of a process on another host", async () => {
    const run = makeFolder();
    writeHolder(run, { pid: 2 ** 22 + 1, host: "elsewhere" });
    const error = await caught("RUN_LOCKED", () => lockRun(run));
    expect(error.details.host).toBe("elsewhere");
  });

  it.runIf(hasProc)("takes over when the process id now belongs to a later process", async () => {
    const run = makeFolder();
    const { child } = await processes.start("hold-lock", [join(run, "other")]);
    writeHolder(run, { pid: child.pid ?? 0, startTicks: "1" });
    await lockRun(run);
    expect(readHolder(run).pid).toBe(process.pid);
    await killNow(child);
  });

  it.runIf(hasProc)("takes over from a process that is dead but was not waited for by its parent", async () => {
    const run = makeFolder();
    const { parent, zombie } = await makeZombie();
    writeHolder(run, { pid: zombie, startTicks: readStartTicks(zombie) });
    await lockRun(run);
    await killNow(parent);
  });

  it.each([
    ["empty", ""],
    ["cut short", '{"pid":1,"ho'],
    ["not a record", "null"],
    ["without a host", '{"pid":1}'],
    ["of process 0, which would be our own group", JSON.stringify({ pid: 0, host: hostname(), startTicks: "" })],
    ["of a process group", JSON.stringify({ pid: -1, host: hostname(), startTicks: "" })],
    ["of a fraction", JSON.stringify({ pid: 1.5, host: hostname(), startTicks: "" })],
    ["of an id no process can have", JSON.stringify({ pid: 2 ** 40, host: hostname(), startTicks: "1" })],
    ["not text", "\xFF\0"],
  ])("takes over a lock file that is %s", async (_name, text) => {
    const run = makeFolder();
    writeFileSync(join(run, ".lock"), text, "latin1");
    const lock = await lockRun(run);
    expect(readHolder(run).pid).toBe(process.pid);
    await lock.release();
    expect(readdirSync(run)).toEqual([]);
  });

  it("gives up with the file system's error when the lock is a link that leads nowhere, or a folder", async () => {
    const run = makeFolder();
    symlinkSync("nowhere", join(run, ".lock"));
    await caught("FILE_SYSTEM", () => lockRun(run));
    const other = makeFolder();
    mkdirSync(join(other, ".lock"));
    await caught("FILE_SYSTEM", () => lockRun(other));
  });

  it("releases its own lock only", async () => {
    const run = makeFolder();
    const lock = await lockRun(run);
    writeHolder(run, { host: "elsewhere" });
    await lock.release();
    expect(readHolder(run).host).toBe("elsewhere");
  });

  it("lets nobody in while a dead holder's lock is being replaced", async () => {
    const run = makeFolder();
    await leaveDeadHolder(run);
    const outputs: string[] = [];
    const interrupted: FileSystem = {
      ...nodeFileSystem,
      rename: async (from, to) => {
        outputs.push((await processes.run("hold-lock", [run])).output);
        await nodeFileSystem.rename(from, to);
      },
    };
    await lockRun(run, interrupted);
    expect(outputs).toEqual([`RUN_LOCKED by ${process.pid}`]);
    expect(readHolder(run).pid).toBe(process.pid);
  });

  it("looks again before it replaces a dead holder's lock, which another may have replaced meanwhile", async () => {
    const run = makeFolder();
    await leaveDeadHolder(run);
    let other: ChildProcess | undefined;
    const interrupted: FileSystem = {
      ...nodeFileSystem,
      linkFile: async (existing, path) => {
        // The dead holder was seen; now another process is faster.
        if (path.endsWith(".takeover")) other = (await processes.start("hold-lock", [run])).child;
        await nodeFileSystem.linkFile(existing, path);
      },
    };
    const error = await caught("RUN_LOCKED", () => lockRun(run, interrupted));
    expect(error.details.pid).toBe(other?.pid);
    if (other !== undefined) await killNow(other);
  });

  it("can always be taken over from a process killed at any call of its own taking over", async () => {
    const dead = await leaveDeadHolder(makeFolder());
    const arrange = (): string => {
      const run = makeFolder();
      writeHolder(run, dead);
      return run;
    };
    const calls: (keyof FileSystem)[] = [];
    await lockRun(arrange(), recordingFileSystem(nodeFileSystem, calls));
    expect(calls).toContain("rename");
    const deaths = [...calls.keys(), calls.length].map((index) => index + 1);
    await forEachOfTwo(deaths, async (call) => {
      const run = arrange();
      expect((await processes.run("die-locking", [run, String(call), "halfway"])).signal).toBe("SIGKILL");
      const lock = await lockRun(run);
      expect(readHolder(run).pid).toBe(process.pid);
      await lock.release();
      await sweepLeftovers(run);
      // A lock for the taking over may stay; it is a dead process's, and the next one takes it over.
      expect(readdirSync(run).filter((name) => name !== ".lock.takeover")).toEqual([]);
    });
  });

  it("is held by one at a time when three processes take it over from each other without end", async () => {
    const run = makeFolder();
    const dead = JSON.stringify(await leaveDeadHolder(run));
    const contenders = Array.from({ length: 3 }, () => processes.run("contend", [run, dead, "20"]));
    for (const ended of await Promise.all(contenders)) expect(ended).toMatchObject({ code: 0, output: "done" });
  });
});

/**
 * A program whose child has ended and is not waited for: the child, made by the shell the program was before, ends only
 * when its input does, so that the shell cannot wait for it.
 */
async function makeZombie(): Promise<{ readonly parent: ChildProcess; readonly zombie: number }> {
  const parent = spawn("sh", ["-c", "cat <&3 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  const zombie = await new Promise<number>((resolve) => {
    parent.stdout?.once("data", (chunk: Buffer) => {
      resolve(Number(chunk.toString()));
    });
  });
  while (readFileSync(`/proc/${parent.pid}/comm`, "utf8") !== "sleep\n") await new Promise(setImmediate);
  (parent.stdio[3] as Writable).end();
  while (!/\) Z /.test(readFileSync(`/proc/${zombie}/stat`, "utf8"))) await new Promise(setImmediate);
  return { parent, zombie };
}

function readStartTicks(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? "";
}

describe("lockLapsing", () => {
  const lapsesAfterMs = 60_000;

  it("is taken from a living holder, or one of another host, only once it was not renewed in time", async () => {
    const folder = makeFolder();
    const path = join(folder, ".lock");
    for (const host of [hostname(), "elsewhere"]) {
      const { startTicks } = await readOwnHolder();
      writeHolder(folder, { host, startTicks });
      const writtenMs = statSync(path).mtimeMs;
      const at = (ageMs: number) => lockLapsing(path, { lapsesAfterMs, now: () => writtenMs + ageMs });
      const error = await caught("RUN_LOCKED", () => at(59_000));
      expect(error.details).toEqual({ path, pid: process.pid, host });
      const lock = await at(61_000);
      expect(readHolder(folder)).toMatchObject({ pid: process.pid, host: hostname() });
      await lock.release();
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it("is kept by renewing it, and not renewed or released by who lost it", async () => {
    const folder = makeFolder();
    const path = join(folder, ".lock");
    let nowMs = Date.now();
    const lock = await lockLapsing(path, { lapsesAfterMs, now: () => nowMs });
    nowMs += 50_000;
    await lock.renew();
    nowMs += 50_000;
    await caught("RUN_LOCKED", () => lockLapsing(path, { lapsesAfterMs, now: () => nowMs }));
    writeHolder(folder, { host: "elsewhere" });
    utimesSync(path, 1, 1);
    await lock.renew();
    await lock.release();
    expect(statSync(path).mtimeMs).toBe(1000);
  });

  it("of a dead process is taken at once", async () => {
    const folder = makeFolder();
    await leaveDeadHolder(folder);
    const lock = await lockLapsing(join(folder, ".lock"), { lapsesAfterMs });
    expect(readHolder(folder).pid).toBe(process.pid);
    await lock.release();
  });
});

async function readOwnHolder(): Promise<Holder> {
  const folder = makeFolder();
  await lockRun(folder);
  return readHolder(folder);
}
