import { selectBackend } from "@ckpt/backend";
import { CkptError, type MetricMode } from "@ckpt/manifest";
import {
  type AverageBatchNormOptions,
  averageCheckpoints,
  type Checkpoint,
  keepBest,
  keepLatest,
  listCheckpoints,
} from "@ckpt/trainer";

import type { CommandContext } from "../command-context.js";
import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { identifyFolder } from "../identify-folder.js";
import { loadRunConfig } from "../load-config.js";
import { loadConfigSplits } from "../load-splits.js";
import { describeRecomputation } from "../recompute-batch-norm.js";

interface Arguments {
  readonly run: string;
  readonly last: number | undefined;
  readonly best: number | undefined;
  readonly steps: string | undefined;
  readonly monitor: string | undefined;
  readonly mode: MetricMode | undefined;
  readonly "batch-norm": boolean;
}

/** `ckpt average`: one more candidate, the mean of others. */
export const averageCommand: Command<Arguments> = {
  usage: "average <run>",
  summary: "Make a checkpoint whose weights are the mean of others; freeze, evaluate and rank take it like any other",
  examples: [
    ["average runs/dense --last 5", "the newest five"],
    ["average runs/dense --best 5 --monitor val_loss", "the five with the lowest validation loss"],
    ["average runs/conv --steps 100,200,300 --batch-norm", "these, with statistics of the train split"],
  ],
  options: (parser) =>
    parser
      .positional("run", { type: "string", demandOption: true, describe: "A run, finished or not" })
      .option("last", { type: "number", requiresArg: true, describe: "How many of the newest" })
      .option("best", { type: "number", requiresArg: true, describe: "How many of the best by --monitor" })
      .option("steps", { type: "string", requiresArg: true, describe: "Which, by step: 100,200,300" })
      .option("monitor", {
        type: "string",
        requiresArg: true,
        describe: "Metric for --best, as in the history; default: val_loss",
      })
      .option("mode", {
        choices: ["min", "max"] as const,
        requiresArg: true,
        describe: "Which way --monitor is better, where its name does not say",
      })
      .option("batch-norm", {
        type: "boolean",
        default: false,
        describe: "Compute batch-norm statistics anew on the run's train split",
      })
      .conflicts("last", ["best", "steps"])
      .conflicts("best", "steps")
      .implies({ monitor: "best", mode: "best" }),
  run: async (given, context) => {
    const { run, "batch-norm": batchNorm } = given;
    if ((await identifyFolder(run)) !== "run") throw new CkptError("RUN_NOT_FOUND", { path: run });
    const { checkpoints, skipped } = await listCheckpoints(run);
    for (const { path, reason } of skipped) context.progress.warn(`average   left out ${path}: ${reason.message}`);
    const chosen = choose(checkpoints, given);
    const recompute = batchNorm ? await prepareRecomputation(run, context) : undefined;
    context.progress.update(`average   ${chosen.length} checkpoints`);
    const average = await averageCheckpoints({
      run,
      checkpoints: chosen,
      ...(recompute === undefined ? {} : { recompute }),
    });
    const { path, step, manifest, isReused } = average;
    const steps = (manifest.parents ?? []).map((parent) => parent.step).join(", ");
    return {
      document: { run, path, step, digest: manifest.digest, parents: manifest.parents, isReused, batchNorm },
      text: `${path}  ${manifest.reason}: steps ${steps}${isReused ? "; is there already" : ""}\n`,
      exitCode: exitCodes.ok,
    };
  },
};

/** The checkpoints that are meant: exactly as many as were asked for. */
function choose(
  checkpoints: readonly Checkpoint[],
  { last, best, steps, monitor, mode }: Arguments,
): readonly Checkpoint[] {
  if (last !== undefined) return chooseCount("--last", last, checkpoints, keepLatest);
  if (steps !== undefined) return chooseSteps(steps, checkpoints);
  if (best === undefined) {
    const expected = "this, --best or --steps, to say which checkpoints";
    throw new CkptError("INVALID_OPTION", { option: "--last", expected, found: "none of them" });
  }
  const watched = monitor ?? "val_loss";
  const measured = checkpoints.filter(({ metrics }) => Number.isFinite(metrics[watched]));
  if (measured.length === 0) {
    const available = [...new Set(checkpoints.flatMap(({ metrics }) => Object.keys(metrics)))];
    throw new CkptError("METRIC_NOT_FOUND", { metric: watched, available });
  }
  const options = { monitor: watched, ...(mode === undefined ? {} : { mode }) };
  return chooseCount("--best", best, measured, (count) => keepBest(count, options));
}

function chooseCount(
  option: string,
  count: number,
  checkpoints: readonly Checkpoint[],
  policy: typeof keepLatest,
): readonly Checkpoint[] {
  if (!Number.isInteger(count) || count < 2 || count > checkpoints.length) {
    const expected = `2 to ${checkpoints.length}, as many checkpoints as there are to choose from`;
    throw new CkptError("INVALID_OPTION", { option, expected, found: String(count) });
  }
  const kept = new Set(policy(count).select(checkpoints));
  return checkpoints.filter(({ step }) => kept.has(step));
}

function chooseSteps(text: string, checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  return text.split(",").map((part) => {
    const found = checkpoints.find(({ step }) => String(step) === part.trim());
    if (found !== undefined) return found;
    const expected = `steps there are checkpoints of: ${checkpoints.map(({ step }) => step).join(", ") || "none"}`;
    throw new CkptError("INVALID_OPTION", { option: "--steps", expected, found: part });
  });
}

async function prepareRecomputation(
  run: string,
  { progress, signal }: CommandContext,
): Promise<AverageBatchNormOptions> {
  const loaded = await loadRunConfig(run);
  const splits = await loadConfigSplits(loaded);
  const backend = await selectBackend(loaded.config.backend);
  progress.done(`backend   ${backend.name}. ${backend.reason}`);
  return describeRecomputation(loaded, splits, signal);
}
