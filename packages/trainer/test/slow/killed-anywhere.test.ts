import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { type FileSystem, nodeFileSystem, verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { listCheckpoints, train, type TrainOutcome } from "../../src/index.js";
import { type Ended, forEachOfTwo, useCompiledTrainer } from "../faults/compiled-trainer.js";
import { copyRun } from "../faults/damaged-run.js";
import { observeCalls } from "../faults/programs/observe-calls.js";
import { keptSteps, savedSteps, tinyRun } from "../faults/programs/tiny-run.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";

/** Where a process dies: before its n-th call (from 1), or when that call, a write, has put half of its bytes there. */
interface Death {
  readonly call: number;
  readonly moment: "before" | "halfway";
}

const compiled = useCompiledTrainer();

/** Of the calls that a whole run makes: before each, and within each write. */
function listDeaths(calls: readonly string[]): readonly Death[] {
  return calls.flatMap<Death>((name, index) => {
    const before = { call: index + 1, moment: "before" } as const;
    return ["write", "writeFile", "appendFile"].includes(name) ? [before, { ...before, moment: "halfway" }] : [before];
  });
}

/** A last line that was cut short, and files that were not there yet, are no loss; anything else is. */
async function checkNothingLost(run: string, ended: Ended): Promise<void> {
  const { checkpoints, skipped } = await listCheckpoints(run);
  expect(skipped).toEqual([]);
  const problems = (await verifyRun(run)).problems.filter(({ message }) => !message.includes("was cut short"));
  if (checkpoints.length > 0) expect(problems).toEqual([]);
  else expect(problems.filter(({ code }) => code !== "MANIFEST_MISSING" && code !== "FILE_MISSING")).toEqual([]);

  const steps = checkpoints.map(({ step }) => step);
  expect(savedSteps).toEqual(expect.arrayContaining(steps));
  const reported = ended.lines.map(Number);
  const mayBePruned = steps.includes(8);
  expect(steps).toEqual(expect.arrayContaining(reported.filter((step) => !mayBePruned || keptSteps.includes(step))));
}

/** Has a process die everywhere in turn; each time nothing may be lost, and a resume has to end as if it never had. */
async function dieAt(
  deaths: readonly Death[],
  expected: Readonly<Record<string, string>>,
  start: (run: string, death: Death) => Promise<Ended>,
): Promise<ReadonlySet<number>> {
  const resumedFrom = new Set<number>();
  // One at a time: each has Math.random to itself while it trains.
  let resumed: Promise<unknown> = Promise.resolve();
  const resume = (run: string): Promise<TrainOutcome> => {
    const outcome = resumed.then(() => train(tinyRun(run)));
    resumed = outcome.catch(() => undefined);
    return outcome;
  };
  await forEachOfTwo(deaths, async (death) => {
    const run = join(await makeTestFolder(), "run");
    const ended = await start(run, death);
    expect(ended.signal, `${JSON.stringify(death)} ${ended.errors}`).toBe("SIGKILL");
    await checkNothingLost(run, ended);
    const outcome = await resume(run);
    if (!outcome.isAlreadyComplete) resumedFrom.add(outcome.resumedFrom ?? 0);
    expect(outcome.skipped).toEqual([]);
    expect(await readRunFiles(run), JSON.stringify(death)).toEqual(expected);
    expect((await verifyRun(run)).problems).toEqual([]);
    const names = [...(await readdir(run)), ...(await readdir(join(run, "checkpoints")))];
    expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  });
  return resumedFrom;
}

describe("a training process killed by SIGKILL", { timeout: 1_200_000 }, () => {
  it("before any call to the file system and within any write loses nothing", async () => {
    const whole = join(await makeTestFolder(), "run");
    const calls: (keyof FileSystem)[] = [];
    const fileSystem = observeCalls(nodeFileSystem, (name) => calls.push(name));
    const { checkpoints } = await train({ ...tinyRun(whole), fileSystem });
    expect(checkpoints.map(({ step }) => step)).toEqual(keptSteps);
    const resumedFrom = await dieAt(listDeaths(calls), await readRunFiles(whole), (run, { call, moment }) =>
      compiled.run("die-at-call", [run, String(call), moment]),
    );
    const places = [0, ...savedSteps];
    expect(places).toEqual(expect.arrayContaining([...resumedFrom]));
    expect(resumedFrom.size).toBeGreaterThanOrEqual(places.length);
  });

  it("and killed again, anywhere, while it goes on, loses nothing", async () => {
    const folder = await makeTestFolder();
    const [whole, died, goesOn] = [join(folder, "whole"), join(folder, "died"), join(folder, "goes-on")];
    const wholeCalls: (keyof FileSystem)[] = [];
    await train({ ...tinyRun(whole), fileSystem: observeCalls(nodeFileSystem, (name) => wholeCalls.push(name)) });
    // In the middle of a file of the last checkpoint: a dead process's lock, a staging folder, checkpoints to resume.
    const call = wholeCalls.lastIndexOf("linkFile") + 3;
    expect((await compiled.run("die-at-call", [died, String(call), "halfway"])).signal).toBe("SIGKILL");
    expect((await readdir(join(died, "checkpoints"))).filter((name) => name.startsWith(".")).length).toBe(1);

    copyRun(died, goesOn);
    const calls: (keyof FileSystem)[] = [];
    await train({ ...tinyRun(goesOn), fileSystem: observeCalls(nodeFileSystem, (name) => calls.push(name)) });
    await dieAt(listDeaths(calls), await readRunFiles(whole), (run, { call, moment }) => {
      copyRun(died, run);
      return compiled.run("die-at-call", [run, String(call), moment]);
    });
  });

  it("in the thread that writes, before any call to Node and within any write, loses nothing", async () => {
    const folder = await makeTestFolder();
    const log = join(folder, "calls");
    const nodeOptions = ["--import", compiled.pathOf("die-in-thread")];
    const whole = join(folder, "run");
    const ended = await compiled.run("train-tiny", [whole], { nodeOptions, env: { CALLS: log } });
    expect(ended).toMatchObject({ code: 0, lines: savedSteps.map(String) });
    const observed = readFileSync(log, "utf8").trim().split("\n");
    expect(new Set(observed)).toEqual(
      new Set(["open", "write", "writeFile", "sync", "rename", "link", "rm", "rmdir", "mkdir"]),
    );
    await dieAt(listDeaths(observed), await readRunFiles(whole), (run, { call, moment }) =>
      compiled.run("train-tiny", [run], { nodeOptions, env: { DEADLY_CALL: String(call), DEADLY_MOMENT: moment } }),
    );
  });
});
