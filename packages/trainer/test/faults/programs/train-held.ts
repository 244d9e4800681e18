import { writeSync } from "node:fs";

import { train } from "../../../src/index.js";
import { tinyRun } from "./tiny-run.js";

/** Arguments: run, step at whose save to say `held`; then it holds the run, in the middle of training, until it is killed. */
const [run = "", holdAt = ""] = process.argv.slice(2);
await train({
  ...tinyRun(run),
  onProgress: ({ kind, step }) => {
    if (kind !== "save" || step !== Number(holdAt)) return;
    writeSync(1, "held\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
