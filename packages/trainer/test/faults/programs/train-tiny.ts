import { writeSync } from "node:fs";

import { train } from "../../../src/index.js";
import { tinyRun } from "./tiny-run.js";

/** Argument: run. Prints the step of each save that is on disk. */
await train({
  ...tinyRun(process.argv[2] ?? ""),
  onProgress: ({ kind, step }) => {
    if (kind === "save") writeSync(1, `${step}\n`);
  },
});
