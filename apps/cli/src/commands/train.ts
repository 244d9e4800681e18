import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { loadConfig, resolveRun } from "../load-config.js";
import { loadConfigSplits } from "../load-splits.js";
import { describeOutcome, trainStage } from "../stages/train-stage.js";
import { addTrainingOptions, type TrainingArguments } from "./training-options.js";

/** `ckpt train`: checkpoints only. */
export const trainCommand: Command<TrainingArguments> = {
  usage: "train [config]",
  summary: "Train and save checkpoints whenever the save policy says so",
  examples: [
    ["train", "train what ./ckpt.config.ts describes"],
    ["train examples/digits --resume", "go on from the latest valid checkpoint"],
  ],
  options: addTrainingOptions,
  run: async ({ config, resume, fresh }, context) => {
    const loaded = await loadConfig(config);
    const splits = await loadConfigSplits(loaded);
    const run = resolveRun(loaded);
    const outcome = await trainStage(loaded, splits, { resume, fresh }, context);
    const { step, epoch, reason, cause, restoredStep, isAlreadyComplete, resumedFrom, checkpoints } = outcome;
    return {
      document: {
        run,
        step,
        epoch,
        reason,
        cause: cause ?? null,
        restoredStep: restoredStep ?? null,
        isAlreadyComplete,
        resumedFrom: resumedFrom ?? null,
        checkpoints: checkpoints.map((checkpoint) => ({
          path: checkpoint.path,
          step: checkpoint.step,
          metrics: checkpoint.metrics,
          digest: checkpoint.manifest.digest,
        })),
      },
      text: `${describeOutcome(run, outcome)}\n`,
      exitCode: exitCodes.ok,
    };
  },
};
