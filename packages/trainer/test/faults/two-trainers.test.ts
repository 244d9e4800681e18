import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { train } from "../../src/index.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";
import { useCompiledTrainer } from "./compiled-trainer.js";
import { readTree } from "./damaged-run.js";
import { tinyRun } from "./programs/tiny-run.js";

const compiled = useCompiledTrainer();

describe("two trainers on one run", () => {
  it("the second is told the first's process and host, and changes nothing; a dead one's lock is taken over", async () => {
    const folder = await makeTestFolder();
    const run = join(folder, "run");
    let holder: number | undefined;
    let second: unknown;
    const trees: unknown[] = [];
    /** The first one's writer thread may still be adding lines. */
    const readSettled = async (): Promise<unknown> => {
      const { "history.jsonl": _history, "timings.jsonl": _timings, ...settled } = await readTree(run);
      return settled;
    };
    const ended = await compiled.run("train-held", [run, "4"], {
      onLine: (_line, child) => {
        holder = child.pid;
        void (async () => {
          trees.push(await readSettled());
          second = await train(tinyRun(run)).catch((error: unknown) => error);
          trees.push(await readSettled());
        })().finally(() => child.kill("SIGKILL"));
      },
    });
    expect(ended.signal, ended.errors).toBe("SIGKILL");
    expect(second).toMatchObject({
      code: "RUN_LOCKED",
      message: `${run}: in use by process ${holder} on ${hostname()}`,
    });
    expect(trees[1]).toEqual(trees[0]);

    expect(JSON.parse(readFileSync(join(run, ".lock"), "utf8"))).toMatchObject({ pid: holder });
    expect(await train(tinyRun(run))).toMatchObject({ resumedFrom: 4, reason: "completed" });
    const whole = join(folder, "whole");
    await train(tinyRun(whole));
    expect(await readRunFiles(run)).toEqual(await readRunFiles(whole));
  });
});
