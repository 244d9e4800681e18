import { openSync, closeSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { isCkptError } from "../../src/errors.js";
import { lockRun } from "../../src/run-lock.js";

/**
 * Arguments: run, text of a dead holder's lock, how often to get the lock. Whenever it has the lock it makes sure that
 * nobody else has, and then leaves the lock as a process that died would: held by somebody who is gone.
 */
const [run = "", deadHolder = "", rounds = ""] = process.argv.slice(2);
const inside = join(run, "inside");
for (let won = 0; won < Number(rounds);) {
  try {
    await lockRun(run);
  } catch (error) {
    if (!isCkptError(error, "RUN_LOCKED")) throw error;
    await sleep(Math.random());
    continue;
  }
  closeSync(openSync(inside, "wx"));
  await sleep(Math.random());
  rmSync(inside);
  won++;
  const dead = join(run, `dead-${process.pid}`);
  writeFileSync(dead, deadHolder);
  renameSync(dead, join(run, ".lock"));
}
console.log("done");
