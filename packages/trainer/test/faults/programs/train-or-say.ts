import { appendFileSync } from "node:fs";

import { isCkptError } from "@ckpt/manifest";

import { everySteps, keepLatest, train } from "../../../src/index.js";
import { tinyRun } from "./tiny-run.js";

/**
 * Arguments: run, steps between two saves, file to append to, `unprivileged` to give up being root before. All checkpoints
 * stay. Appends what became of the training: one line of JSON.
 */
const [run = "", steps = "", log = "", user = ""] = process.argv.slice(2);
if (user === "unprivileged" && process.getuid?.() === 0) process.setuid?.(65_534);
let reached = 0;
const say = (outcome: Readonly<Record<string, unknown>>): void => {
  appendFileSync(log, `${JSON.stringify({ reached, ...outcome })}\n`);
};
try {
  const { resumedFrom, checkpoints } = await train({
    ...tinyRun(run),
    save: everySteps(Number(steps)),
    keep: [keepLatest(8)],
    onProgress: ({ step }) => {
      reached = step;
    },
  });
  say({ resumedFrom, saved: checkpoints.map(({ step }) => step) });
} catch (error) {
  if (!isCkptError(error, "FILE_SYSTEM")) throw error;
  const { path, operation } = error.details;
  say({ code: error.code, path, operation, cause: (error.cause as NodeJS.ErrnoException).code });
}
