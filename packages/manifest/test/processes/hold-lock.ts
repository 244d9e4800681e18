import { isCkptError } from "../../src/errors.js";
import { lockRun } from "../../src/run-lock.js";

/** Argument: the run to lock. Prints `locked` or why not, and ends when its standard input does; without releasing. */
try {
  await lockRun(process.argv[2] ?? "");
  console.log("locked");
  process.stdin.resume();
} catch (error) {
  if (!isCkptError(error, "RUN_LOCKED")) throw error;
  console.log(`RUN_LOCKED by ${error.details.pid}`);
}
