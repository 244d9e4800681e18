import { appendFileSync, writeFileSync, writeSync } from "node:fs";

import { nodeFileSystem } from "@ckpt/manifest";

import { train } from "../../../src/index.js";
import { die } from "./die.js";
import { observeCalls } from "./observe-calls.js";
import { tinyRun } from "./tiny-run.js";

/**
 * Arguments: run, number of the call of the file system to die at (from 1), `halfway` to die when that call, a write, has
 * put half of its bytes there. Prints the step of each save that is on disk.
 */
const [run = "", deadlyCall = "", moment = ""] = process.argv.slice(2);
let calls = 0;
const fileSystem = observeCalls(nodeFileSystem, (name, [path, data]) => {
  if (++calls !== Number(deadlyCall)) return;
  if (moment === "halfway" && data instanceof Uint8Array) {
    // A copy: what is saved is in shared memory, which the calls that do not return a promise refuse.
    const half = Uint8Array.from(data.subarray(0, data.length >> 1));
    if (name === "writeFile") writeFileSync(String(path), half, { flag: "wx" });
    if (name === "appendFile") appendFileSync(String(path), half);
  }
  die();
});
await train({
  ...tinyRun(run),
  fileSystem,
  onProgress: ({ kind, step }) => {
    if (kind === "save") writeSync(1, `${step}\n`);
  },
});
