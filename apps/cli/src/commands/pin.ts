import { basename, dirname, resolve } from "node:path";

import { CkptError, parseStepName, pinCheckpoint, readPins, unpinCheckpoint } from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";

interface Arguments {
  readonly checkpoint: string;
  readonly remove: boolean;
}

/** `ckpt pin`: keeps a checkpoint whatever the retention policies say. */
export const pinCommand: Command<Arguments> = {
  usage: "pin <checkpoint>",
  summary: "Keep a checkpoint whatever the retention policies say",
  examples: [
    ["pin runs/dense/checkpoints/step-00000120", "keep it; a training process that goes on heeds it too"],
    ["pin runs/dense/checkpoints/step-00000120 --remove", "leave it to the policies again"],
  ],
  options: (parser) =>
    parser
      .positional("checkpoint", { type: "string", demandOption: true, describe: "The checkpoint's folder in a run" })
      .option("remove", { type: "boolean", default: false, describe: "Unpin it" }),
  run: async ({ checkpoint, remove }) => {
    const path = resolve(checkpoint);
    const step = parseStepName(basename(path));
    if (step === undefined) {
      const expected = "a folder named like step-00000120 in a run's checkpoints";
      throw new CkptError("INVALID_OPTION", { option: "checkpoint", expected, found: checkpoint });
    }
    const run = dirname(dirname(path));
    await (remove ? unpinCheckpoint(run, step) : pinCheckpoint(run, step));
    return {
      document: { checkpoint, step, isPinned: !remove, pinned: [...(await readPins(run))].toSorted((a, b) => a - b) },
      text: `${checkpoint}: ${remove ? "no longer pinned" : "pinned"}\n`,
      exitCode: exitCodes.ok,
    };
  },
};
