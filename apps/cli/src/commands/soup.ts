import { selectBackend } from "@ckpt/backend";
import { CkptError } from "@ckpt/manifest";

import { refuseTestRows } from "../check-roles.js";
import type { Command } from "../command.js";
import { type SoupKind, soupKinds } from "../config.js";
import { exitCodes } from "../exit-code.js";
import { identifyFolder } from "../identify-folder.js";
import { loadRunConfig } from "../load-config.js";
import { loadConfigSplits } from "../load-splits.js";
import { findRecomputation } from "../recompute-batch-norm.js";
import { type Soup, soupStage } from "../stages/soup-stage.js";
import { formatMetric } from "../table.js";

interface Arguments {
  readonly run: string;
  readonly kind: readonly SoupKind[];
}

/** `ckpt soup`: averages of checkpoints, chosen by their scores. */
export const soupCommand: Command<Arguments> = {
  usage: "soup <run>",
  summary:
    "Average a run's scored checkpoints, all or those that help, and score the averages; ckpt rank counts them then",
  examples: [
    ["soup runs/dense", "the greedy soup"],
    ["soup runs/dense --kind uniform --kind greedy", "both"],
  ],
  repeatable: ["kind"],
  options: (parser) =>
    parser
      .positional("run", { type: "string", demandOption: true, describe: "A run that was evaluated" })
      .option("kind", {
        array: true,
        choices: soupKinds,
        default: ["greedy"] as const,
        requiresArg: true,
        describe: "uniform: the mean of all; greedy: one by one from the best, unless the mean gets worse",
      }),
  run: async ({ run, kind }, context) => {
    if ((await identifyFolder(run)) !== "run") throw new CkptError("RUN_NOT_FOUND", { path: run });
    const loaded = await loadRunConfig(run);
    const { split: name = "select", ...evaluate } = loaded.config.evaluate ?? {};
    const splits = await loadConfigSplits(loaded);
    const split = splits.get(name);
    refuseTestRows(split, "evaluate.split");
    await selectBackend(loaded.config.backend);
    const recomputation = await findRecomputation(loaded, splits, context.signal);
    const request = { run, kinds: kind, split, freeze: loaded.config.freeze ?? {}, evaluate, ...recomputation };
    const soups = await soupStage(request, context);
    return { document: { run, soups }, text: soups.map(formatSoup).join(""), exitCode: exitCodes.ok };
  },
};

function formatSoup({ kind, path, steps, score }: Soup): string {
  if (path === undefined) return `${kind}: none, step ${steps.join()} alone is better than every mean\n`;
  return `${path}  ${kind}: steps ${steps.join(", ")}  score ${formatMetric(score ?? Number.NaN)}\n`;
}
